"""From the words of a command line to an experiment ready to be played, and to the load's configuration."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from chaos.experiment.model import Experiment, load_experiment, resolve
from chaos.experiment.short_form import short_form
from loadprofiles.replay import open_trace
from reports.shared.errors import UserError

__all__ = ["check_experiments", "is_loopback", "load_config", "prepare", "resolved_text"]

HORIZON_SLACK_S = 120.0
"""Arrivals are bounded beyond the plan by this much: reverting a fault may take longer than planned."""


def prepare(
    name: str,
    *,
    stack: str | None,
    seed: int | None,
    trace: dict[str, object] | None,
    may_leave_loopback: bool,
    short: bool = False,
    confirm: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Experiment:
    """Read an experiment and its trace, and see that its target may be called. Raises UserError.

    `short`: its short form; `confirm`: with confirmation by shedding. `tell` gets what a user
    should know of the trace, a line at a time. The options of the replay come back resolved.
    """
    experiment = load_experiment(name, stack=stack, seed=seed, trace=trace)
    if experiment.trace is not None:
        # Read here as well as by the load generator: a broken line is the user's to mend, before anything is started.
        options = {key: value for key, value in experiment.trace.items() if key != "dir"}
        read = open_trace(Path(experiment.trace["dir"]).expanduser(), options)
        told = tuple(read.summary_lines())
        for line in told:
            tell(line)
        resolved = asdict(read.options)
        if resolved["rate"] is None:
            resolved["rate"] = "recorded"
        resolved = {"dir": experiment.trace["dir"], "format": read.format, **resolved}
        experiment = replace(experiment, trace=resolved, trace_notes=told)
    if experiment.url is not None:
        if not is_loopback(experiment.url.url) and not may_leave_loopback:
            raise UserError(
                f"{experiment.path}: the target {experiment.url.url} is not this machine. Load on a service is "
                "an attack unless they know: if you may, say so with --yes-i-may"
            )
        key = experiment.url.key_env
        if key is not None and not os.environ.get(key):
            raise UserError(f"{experiment.path}: key_env: the environment variable {key} is not set")
    if confirm:
        experiment = replace(experiment, timeline=replace(experiment.timeline, confirm_metastable=True))
    return short_form(experiment) if short else experiment


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine by its address; a name other than `localhost` is not trusted to be."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_config(experiment: Experiment, url: str) -> dict[str, Any]:
    """What the load generator is told (`docs/wire.md`). Session ids come from the seed alone: a rerun plays the same
    conversations, and a fault's share hits the same requests."""
    target = experiment.url
    model = target.model if target is not None else experiment.stack.model if experiment.stack is not None else ""
    return {
        "url": url,
        "api": target.api if target is not None else None,
        "api_key_env": target.key_env if target is not None else None,
        "model": model,
        "profile": asdict(experiment.profile),
        "trace": _trace(experiment.trace),
        "seed": experiment.seed,
        "run": f"s{experiment.seed}",
        "horizon_s": experiment.load_s + HORIZON_SLACK_S,
        "drain_s": experiment.timeline.drain_s,
        "slo": asdict(experiment.slo),
        "provable": None if target is not None else True,
        "allow_remote": target is not None and not is_loopback(target.url),
    }


def _trace(trace: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if trace is None else {**trace, "dir": str(Path(trace["dir"]).expanduser().resolve())}


def resolved_text(experiment: Experiment, command: str) -> str:
    """`experiment.yaml` of a run's record."""
    return yaml.safe_dump({**resolve(experiment), "command": command}, sort_keys=False, allow_unicode=True, width=120)


def check_experiments(names: list[str], *, stack: str | None, seed: int | None, trace: dict[str, object] | None) -> int:
    """Validate each, and print its plan. Raises UserError with the mistakes of all that have some."""
    from chaos.cli.plan import print_plan

    problems = []
    for name in names:
        try:
            print_plan(load_experiment(name, stack=stack, seed=seed, trace=trace))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    return 0
