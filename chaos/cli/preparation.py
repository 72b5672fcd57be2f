"""From the arguments of a command line to an experiment that is ready to run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import yaml

from chaos.by_hand.borrowing import check_lender, lender_of
from chaos.experiment.commands import command_problem
from chaos.experiment.model import ALLOW_EXPOSED, Experiment, GatewayChoice, load_experiment
from chaos.experiment.resolved import resolve
from chaos.experiment.short_form import short_form
from chaos.experiment.target_checks import (
    PERMISSION_OPTION,
    environment_problems,
    installation_problem,
    needs_permission,
)
from chaos.runner.ports import check_free, claim_ports, ephemeral_warning
from loadprofiles.replay import open_trace
from reports.shared.errors import UserError
from reports.shared.home import expanded
from targets.adapters.catalogue import parse_choice

__all__ = [
    "check_possible",
    "exposed",
    "gateway_choice",
    "port_warning",
    "prepare",
    "resolved_text",
    "trace_options",
    "without_options",
]


def prepare(
    name: str,
    *,
    stack: str | None,
    seed: int | None,
    trace: dict[str, object] | None,
    may_leave_loopback: bool,
    target: Path | None = None,
    gateway: str | None = None,
    allow_exec: bool = False,
    allow_exposed: bool = False,
    short: bool = False,
    confirm: bool = False,
    scale: float = 1.0,
    on_note: Callable[[str], None] = lambda line: None,
) -> Experiment:
    """Read an experiment and its trace, and check that load may be sent to its target. Raises UserError.

    `allow_exec`: the commands of its faults may be run. `allow_exposed`: its gateway may listen beyond this machine.
    `short`: its short form. `confirm`: with the confirmation by shedding. `scale`: of the load. `on_note` receives what
    the user should know about the trace, line by line. The options of the replay are resolved in the experiment that is
    returned.
    """
    choice = gateway_choice(gateway)
    experiment = load_experiment(name, stack=stack, seed=seed, trace=trace, target=target, gateway=choice)
    experiment = replace(experiment, scale=scale)
    if allow_exposed:
        experiment = replace(experiment, gateway=exposed(experiment.gateway))
    if experiment.trace is not None:
        # Read here as well as in the load generator, so that a mistake in a trace is reported before anything starts.
        options = {key: value for key, value in experiment.trace.items() if key != "dir"}
        read = open_trace(expanded(experiment.trace["dir"]), options)
        notes = tuple(read.summary_lines())
        for line in notes:
            on_note(line)
        resolved = asdict(read.options)
        if resolved["rate"] is None:
            resolved["rate"] = "recorded"
        resolved = {"dir": experiment.trace["dir"], "format": read.format, **resolved}
        experiment = replace(experiment, trace=resolved, trace_notes=notes)
    problems = list(_problems(experiment, may_leave_loopback=may_leave_loopback, allow_exec=allow_exec))
    if problems:
        raise UserError("\n".join(problems))
    if confirm:
        experiment = replace(experiment, timeline=replace(experiment.timeline, confirm_metastable=True))
    return short_form(experiment) if short else experiment


def check_possible(experiment: Experiment, *, may_leave_loopback: bool) -> None:
    """Check that load may be sent to the target, and that its gateway and ports can be had. Raises UserError."""
    problems = list(_problems(experiment, may_leave_loopback=may_leave_loopback, allow_exec=False))
    if problems:
        raise UserError("\n".join(problems))


def _problems(experiment: Experiment, *, may_leave_loopback: bool, allow_exec: bool) -> Iterator[str]:
    """What keeps this experiment from being run on this machine."""
    whose = experiment.target_path or experiment.path
    if experiment.url is not None:
        if needs_permission(experiment.url) and not may_leave_loopback:
            yield (
                f"{whose}: the target {experiment.url.url} is not this machine. Load on a service without "
                f"its owner's permission is an attack. If you have the permission, add {PERMISSION_OPTION}"
            )
        for problem in environment_problems(experiment.url, os.environ):
            yield f"{whose}: {problem}"
    if experiment.gateway is not None and (problem := installation_problem(experiment.gateway)):
        yield problem
    try:
        _check_ports(experiment)
    except UserError as error:
        yield str(error)
    if problem := command_problem(experiment, allowed=allow_exec):
        yield problem
    if experiment.alerts is not None and experiment.alerts.port:
        try:
            check_free(experiment.alerts.port)
        except UserError as error:
            yield f"{experiment.path}: alerts: {error}"


def _check_ports(experiment: Experiment) -> None:
    """Whether the replicas can have their ports. Raises UserError that names who has one."""
    if experiment.stack is None or not experiment.first_port:
        return
    if (lender := lender_of(experiment)) is not None:
        check_lender(lender)
        return
    claim_ports(experiment.first_port, len(experiment.stack.replicas))


def port_warning(experiment: Experiment) -> str:
    """A sentence where other processes can take the ports of the replicas during the run; "" elsewhere."""
    if experiment.stack is None or not experiment.first_port:
        return ""
    return ephemeral_warning(experiment.first_port, len(experiment.stack.replicas))


def gateway_choice(text: str | None) -> GatewayChoice | None:
    """The gateway of `--gateway NAME[:PRESET]`. Raises UserError."""
    if text is None:
        return None
    adapter, preset = parse_choice(text)
    return GatewayChoice(adapter.name, preset)


def exposed(choice: GatewayChoice | None) -> GatewayChoice:
    """The gateway, allowed to listen beyond this machine. Raises UserError without one."""
    if choice is None:
        raise UserError(
            f"{ALLOW_EXPOSED} is about a gateway that brownout starts, and there is none: add --gateway NAME, or leave "
            f"{ALLOW_EXPOSED} out"
        )
    return choice._replace(exposed=True)


def trace_options(folder: Path | None, **options: object) -> dict[str, object] | None:
    """The options `--trace`, `--speed` and so on as the `trace` of an experiment file; None without `--trace`.

    Options that are None were not given. Raises UserError where one is given without `--trace`.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if folder is not None:
        return {"dir": str(folder), **given}
    if given:
        names = ", ".join("--" + name.replace("_", "-").replace("format", "trace-format") for name in given)
        raise UserError(f"{names}: only with --trace PATH")
    return None


def resolved_text(experiment: Experiment, command: str) -> str:
    """`experiment.yaml` of a run's record."""
    return yaml.safe_dump({**resolve(experiment), "command": command}, sort_keys=False, allow_unicode=True, width=120)


def without_options(words: Sequence[str], *options: str) -> list[str]:
    """The words of a command line without these options and their values: `--seed 3` or `--seed=3`."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word.startswith(tuple(f"{option}=" for option in options)):
            skip = False
        elif word in options:
            skip = True
        else:
            kept.append(word)
    return kept
