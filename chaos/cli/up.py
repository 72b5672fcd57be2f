"""`brownout up`: from its options to a stack that stays up."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import yaml
from rich.text import Text

from chaos.by_hand.runtime import runtime_folder
from chaos.by_hand.up import Up
from chaos.cli.console import open_console, shell_path
from chaos.cli.lasting_output import nonblocking_output
from chaos.cli.preparation import exposed, gateway_choice, port_warning
from chaos.experiment.checks import MAX_RUN_S
from chaos.experiment.model import Experiment, GatewayChoice, Slo, Timeline
from chaos.experiment.resolved import resolve
from chaos.experiment.target_checks import installation_problem
from chaos.runner.early_end import Ended
from chaos.runner.ports import claim_ports
from chaos.runner.record_writer import RunFolder
from loadprofiles.sessions.profile_file import load_profile
from reports.gates.grammar import parse_gate
from reports.shared.errors import TargetFailed, UserError
from targets.adapters.catalogue import ADAPTERS
from targets.stack import load_stack

__all__ = ["serve_up"]


def serve_up(
    stack: str,
    *,
    gateway: str | None,
    replicas_only: bool,
    first_port: int,
    port: int,
    profile: str,
    seed: int | None,
    runs: Path,
    allow_exposed: bool = False,
) -> int:
    """Start a stack, and end it when a signal comes. Returns exit code 0.

    Raises UserError for options that are wrong or a port in use, TargetFailed if the stack cannot be started or a
    fault could not be reverted.
    """
    import uvloop

    if replicas_only and (gateway is not None or port):
        what = "--gateway" if gateway is not None else "--port"
        raise UserError(f"--replicas-only and {what} exclude each other: leave one of them out")
    choice = gateway_choice(gateway)
    if allow_exposed:
        choice = exposed(choice)
    experiment = _experiment(stack, choice, profile, seed, first_port)
    if choice is not None and (problem := installation_problem(choice)):
        raise UserError(problem)
    _check_ports(experiment, port)
    if first_port and (line := port_warning(experiment)):
        print(f"warning: {line}", file=sys.stderr)
    runtime_folder()  # where it cannot be, no command would find this stack
    folder = RunFolder(runs, experiment.name)
    console = open_console()
    front = "none" if replicas_only else experiment.front
    try:
        facts = {
            **resolve(experiment),
            "gates": [],
            "by_hand": True,
            "command": shlex.join(["brownout", *sys.argv[1:]]),
        }
        folder.write("experiment.yaml", yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=120))

        async def serve() -> Ended | None:
            up = Up(
                experiment,
                folder,
                lambda text: console.print(Text(text), soft_wrap=True),
                front=front,
                gateway_port=port,
            )
            return await up.serve()

        with nonblocking_output():
            ended = uvloop.run(serve())
    finally:
        folder.close()
    if ended is not None:
        raise TargetFailed(f"{ended.why}\n    record: {folder.path}")
    console.print(Text(f"ended; its record: brownout report {shell_path(folder.path)}", style="dim"), soft_wrap=True)
    return 0


def _check_ports(experiment: Experiment, port: int) -> None:
    """Before anything is started. Raises UserError that names who has a port."""
    assert experiment.stack is not None
    first, count = experiment.first_port, len(experiment.stack.replicas)
    if first < 0 or (first and first + count - 1 > 65_535):
        raise UserError(f"--first-port {first}: {count} replicas need the ports from there on, and 65535 is the last")
    if port and first <= port < first + count:
        raise UserError(
            f"--port {port}: the replicas have the ports {first} to {first + count - 1}: choose another one"
        )
    if first:
        claim_ports(first, count)
    if port:
        claim_ports(port, 1)


def _experiment(name: str, choice: GatewayChoice | None, profile: str, seed: int | None, first_port: int) -> Experiment:
    stack, sessions = load_stack(name), load_profile(profile)
    if choice is not None and sessions.client.api not in ADAPTERS[choice.name].apis:
        raise UserError(
            f"{choice.name} does not pass on the API {sessions.client.api}, which the profile {profile} uses"
        )
    return Experiment(
        path=Path(f"up-{stack.name}"),
        name=f"up-{stack.name}",
        title=f"Chaos by hand on {stack.name}",
        description="",
        family="",
        stack=stack,
        url=None,
        profile=sessions,
        trace=None,
        slo=Slo(2.0, 0.1),
        timeline=Timeline(0.0, MAX_RUN_S, 0.0, 0.0),
        faults=(),
        steady_state=(),
        gates=(),
        headline_gate=parse_gate("sessions_lost == 0", None),
        guardrails=(),
        seed=7 if seed is None else seed,
        first_port=first_port,
        gateway=choice,
    )
