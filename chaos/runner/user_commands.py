"""Runs the commands of exec faults on the user's system, each with a process that watches over it.

The watcher (`chaos.supervision.command`) of inject, confirm and verify is a child of the shepherd: it ends with the
run, and so does what the command left running. That of a revert is a child of this process: what a revert starts, as a
server, must outlive the run. If this process is gone, the watcher kills the revert, and the shepherd runs it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from pathlib import Path

from chaos.faults.world import Command, CommandResult, CommandStage, FaultError
from chaos.supervision.command import GRACE_S, command_environment, outcome, watcher_argv
from chaos.supervision.link import Refused, ShepherdGone
from chaos.supervision.supervisor import ChildSpec, Supervisor
from reports.shared.errors import TargetFailed

__all__ = ["KIND", "UserCommands"]

KIND = "exec"
"""The kind of the processes that watch over commands."""
KILL_WITHIN_S = 2.0
"""How long a watcher may take to kill its command, before it is killed itself."""


class UserCommands:
    """The commands of one run. `run_dir`: the folder of the run. `folder`: where they run, an absolute path."""

    def __init__(self, supervisor: Supervisor, run_dir: Path, folder: str) -> None:
        self._supervisor = supervisor
        self._run_dir = run_dir.absolute()
        self.folder = folder
        self._reverts: set[asyncio.subprocess.Process] = set()
        self._abandoned = False

    def log(self, fault_id: str, stage: CommandStage) -> str:
        """The file for the output of a command."""
        return str(self._run_dir / "logs" / f"{fault_id}-{stage}.log")

    async def run(self, fault_id: str, stage: CommandStage, command: Command) -> CommandResult:
        """Run a command to its end; one that is cancelled is killed. Raises ShepherdGone."""
        record = {
            "argv": list(command.argv),
            "cwd": self.folder,
            "timeout_s": command.timeout_s,
            "log": self.log(fault_id, stage),
        }
        environment = command_environment(os.environ, command.env)
        if self._supervisor.gone is not None:
            raise self._supervisor.gone  # its end undoes the faults
        if stage == "revert":
            line = await self._revert(watcher_argv(record, watched=True), environment, command.timeout_s)
        else:
            line = await self._watched(f"{fault_id}-{stage}", watcher_argv(record), environment, command.timeout_s)
        return CommandResult(*outcome(line, command.timeout_s))

    def abandon(self) -> None:
        """Kill the reverts that run, and start no other: the shepherd runs them now."""
        self._abandoned = True
        for process in self._reverts:
            if process.stdin is not None:
                process.stdin.close()

    async def _watched(self, name: str, argv: list[str], environment: dict[str, str], timeout_s: float) -> bytes:
        said = self._run_dir / "children" / f"{name}.json"
        with contextlib.suppress(OSError):
            said.unlink(missing_ok=True)  # of the last time
        try:
            await self._start(ChildSpec(name, argv, environment, said, KIND))
            async with asyncio.timeout(timeout_s + GRACE_S):
                await self._supervisor.wait(name)
        except TimeoutError:
            pass  # it says nothing then, and is killed below
        finally:
            with contextlib.suppress(ShepherdGone, Refused, LookupError):
                if self._supervisor.state(name) != "gone":
                    await self._supervisor.stop(name, KILL_WITHIN_S)
        try:
            return said.read_bytes()
        except OSError:
            return b""

    async def _start(self, spec: ChildSpec) -> None:
        """Start a watcher. Where that is cancelled, it has started when this ends, so that it can be stopped."""
        starting = asyncio.ensure_future(self._supervisor.spawn(spec))
        try:
            await asyncio.shield(starting)
        except ShepherdGone:
            raise
        except TargetFailed as error:
            raise FaultError(str(error)) from error
        except asyncio.CancelledError:
            await asyncio.gather(starting, return_exceptions=True)
            raise

    async def _revert(self, argv: list[str], environment: dict[str, str], timeout_s: float) -> bytes:
        if self._abandoned:
            raise FaultError("the shepherd runs the revert command")
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise FaultError(f"no process can be started: {error.strerror or error}") from error
        assert process.stdin is not None
        assert process.stdout is not None
        self._reverts.add(process)
        try:
            async with asyncio.timeout(timeout_s + GRACE_S):
                return await process.stdout.read()
        except TimeoutError:
            return b""
        finally:
            process.stdin.close()  # a watcher that has not ended kills its command
            await self._ended(process)
            self._reverts.discard(process)

    async def _ended(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(KILL_WITHIN_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
