"""`brownout serve stack`: a stack without load or faults, for manual calls or other tools, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from pathlib import Path
from typing import Any

from rich.text import Text

from chaos.cli.console import open_console
from chaos.runner.deployment import Deployment
from chaos.runner.readiness import all_ready
from chaos.runner.record_writer import RunFolder
from chaos.supervision.supervisor import Child, Supervisor
from reports.shared.errors import TargetFailed
from targets.stack import Stack, load_stack

__all__ = ["serve_stack"]


def serve_stack(name: str, *, port: int, runs: Path) -> int:
    """Start replicas and gateway, print their URLs, wait for SIGINT or SIGTERM. Returns exit code 0.

    Raises UserError for an unknown stack or a port in use, TargetFailed if a process exits unexpectedly.
    """
    import uvloop

    stack = load_stack(name)
    folder = RunFolder(runs, f"serve-{stack.name}")
    try:
        uvloop.run(_serve(stack, folder, port))
    finally:
        folder.close()
    return 0


async def _serve(stack: Stack, folder: RunFolder, port: int) -> None:
    stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(why: str) -> None:
        if not stop.done():
            stop.set_result(why)

    def exited(child: Child, status: int, expected: bool) -> None:
        if not expected:
            end(f"{child.name} exited unexpectedly (status {status}); log: {folder.log(child.name)}")

    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, end, "")
    token = secrets.token_urlsafe(24)
    deployment = Deployment.plan(stack, folder, token, "", seed=0, gateway_port=port)
    async with Supervisor(run_dir=folder.path, owner=folder.path.name, token=token, on_exit=exited) as supervisor:
        specs = [*(deployment.replica_spec(name) for name in deployment.addresses), deployment.gateway_spec()]
        await asyncio.gather(*(supervisor.spawn(spec) for spec in specs))
        ready = asyncio.ensure_future(all_ready(deployment.urls()))
        either: list[asyncio.Future[Any]] = [ready, stop]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ready
        if not stop.done():
            console = open_console()
            url = Text(f"{deployment.gateway_url}/v1", style="bold")
            console.print(url.append(f"  {stack.title}; model {stack.model}; Ctrl-C stops it", style="not bold"))
            for replica in stack.replicas:
                console.print(f"  {deployment.replica_url(replica.name)}/v1  {replica.name} ({replica.hardware})")
        why = await stop
    if why:
        raise TargetFailed(why)
