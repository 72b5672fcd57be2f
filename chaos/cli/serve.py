"""`brownout serve stack`: a stack without load or faults, for manual calls or other tools, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chaos.cli.console import open_console
from chaos.cli.lasting_output import output_that_waits_for_nobody
from chaos.runner.deployment import Deployment
from chaos.runner.early_end import EarlyEnd, Ended
from chaos.runner.interrupts import Interrupts
from chaos.runner.readiness import all_ready
from chaos.runner.record_writer import RunFolder
from chaos.supervision.supervisor import Child, ShepherdGone, Supervisor
from reports.shared.errors import TargetFailed
from targets.stack import Stack, load_stack

__all__ = ["serve_stack"]

GRACE_S = 0.6
"""How long the processes of one kind may take to end after Ctrl-C, before SIGKILL."""


def serve_stack(name: str, *, port: int, runs: Path) -> int:
    """Start replicas and gateway, print their URLs, wait for SIGINT or SIGTERM. Returns exit code 0.

    Raises UserError for an unknown stack or a port in use, TargetFailed if a process exits unexpectedly.
    """
    import uvloop

    stack = load_stack(name)
    folder = RunFolder(runs, f"serve-{stack.name}")
    try:
        with output_that_waits_for_nobody():
            uvloop.run(_serve(stack, folder, port))
    finally:
        folder.close()
    return 0


async def _serve(stack: Stack, folder: RunFolder, port: int) -> None:
    early, console = EarlyEnd(), open_console()
    supervisors: list[Supervisor] = []

    def exited(child: Child, status: int, expected: bool) -> None:
        if not expected:
            why = f"{child.name} exited unexpectedly (status {status}); log: {folder.log(child.name)}"
            early.end("failed", why, 5)

    def gone(error: ShepherdGone) -> None:
        early.end("failed", str(error), 5)

    def kill_all() -> None:
        for supervisor in supervisors:
            supervisor.end_now()

    interrupts = Interrupts(early, kill_all, lambda text: console.print(Text(text)), "every process ends")
    token = secrets.token_urlsafe(24)
    deployment = Deployment.plan(stack, folder, token, "", seed=0, gateway_port=port)
    interrupts.install()
    try:
        async with Supervisor(
            run_dir=folder.path, owner=folder.path.name, token=token, on_exit=exited, on_gone=gone
        ) as supervisor:
            supervisors.append(supervisor)
            try:
                await early.or_end(asyncio.gather(*(supervisor.spawn(spec) for spec in deployment.specs())))
                await early.or_end(all_ready(deployment.urls()))
                _print_urls(console, stack, deployment)
                await early.or_end(asyncio.Event().wait())
            except Ended as ended:
                if ended.exit_code == 5:
                    raise TargetFailed(ended.why) from None
            with contextlib.suppress(ShepherdGone):
                await supervisor.stop_all(GRACE_S)
    finally:
        interrupts.close()


def _print_urls(console: Console, stack: Stack, deployment: Deployment) -> None:
    url = Text(f"{deployment.gateway_url}/v1", style="bold")
    console.print(url.append(f"  {stack.title}; model {stack.model}; Ctrl-C stops it", style="not bold"))
    for replica in stack.replicas:
        console.print(f"  {deployment.replica_url(replica.name)}/v1  {replica.name} ({replica.hardware})")
