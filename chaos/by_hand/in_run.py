"""Chaos by hand in an experiment that is running: `status`, `inject`, `revert`, `restart`, `operate`, `abort`.

Its verdict is then in doubt, because the experiment was changed: no gate passes or fails (`Record.changed_by_hand`).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from chaos.by_hand.control import ControlSocket, Say
from chaos.by_hand.controls import HandControls
from chaos.by_hand.processes import process_facts, start_process_again
from chaos.by_hand.reserve import operations_of
from chaos.by_hand.runtime import Entry, announce, socket_path, withdraw
from chaos.runner.live_world import LiveWorld
from chaos.runner.run import Run
from chaos.runner.setup import Setup
from chaos.supervision.identity import identify
from reports.shared.errors import UserError

__all__ = ["controls_of_run"]


@contextlib.asynccontextmanager
async def controls_of_run(run: Run, setup: Setup, world: LiveWorld) -> AsyncIterator[None]:
    """Inside the block, commands from another terminal reach the run. Without a runtime folder, they do not."""
    stack = run.experiment.stack
    if stack is None:
        yield
        return
    began_s = time.monotonic()

    async def restart(name: str, say: Say) -> None:
        await start_process_again(setup, name, say)

    def facts() -> Mapping[str, Any]:
        up_s = round(time.monotonic() - began_s, 1)
        return {"what": f"experiment {run.experiment.name}", "up_s": up_s, **process_facts(setup, run.last_counters)}

    controls = HandControls(
        stack=stack,
        profile=run.experiment.profile,
        seed=run.experiment.seed,
        world=world,
        events=run.folder.events,
        plays=run.plays,
        make_play=lambda one: run.fault_plays.make(one.occurrence, one.pools, world),
        restart=restart,
        facts=facts,
        say=run.progress.say,
        operations=operations_of(setup, world) if setup.gateway_control_port else None,
        end_run=lambda why: run.early.end("aborted", why, 4),
    )
    identity = identify(os.getpid())
    assert identity is not None
    record = str(run.folder.path.absolute())
    async with contextlib.AsyncExitStack() as reached:
        try:
            socket = await reached.enter_async_context(ControlSocket(socket_path(), controls))
            entry = announce(
                Entry(run.experiment.name, "run", str(socket.path), record, stack.name, setup.url, 0, *identity)
            )
            reached.callback(withdraw, entry)
        except UserError as error:  # the run goes on without
            run.progress.say(f"commands from another terminal cannot reach this run: {error}")
        try:
            yield
        finally:
            await controls.close()
