"""The runner's connection to the shepherd: starts it, renews the lease by heartbeats, sends requests, detects its exit.

The rest of the runner uses `chaos.supervision.supervisor`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brownout.children import python_words
from chaos.supervision.identity import WrongProcess, read_stat, run_members, send_signal
from chaos.supervision.run_lock import lock_folder
from chaos.supervision.undo import undo_at_end
from reports.shared.errors import TargetFailed

__all__ = ["RUN_MARK", "Refused", "ShepherdGone", "ShepherdLink"]

RUN_MARK = "BROWNOUT_RUN"
"""Environment variable in every process of a run, by which they are found if the shepherd was killed."""

HEARTBEATS_PER_LEASE = 5
START_WITHIN_S = 15.0
REPLY_WITHIN_S = 20.0
EXIT_WITHIN_S = 30.0
SWEEP_WITHIN_S = 5.0
LINE_BYTES = 8 * 1024 * 1024

LEFT = "the run has ended"

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")


class ShepherdGone(TargetFailed):
    """The shepherd has exited, and with it every process of the run."""


class Refused(Exception):
    """The shepherd replied to a request with an error."""


class ShepherdLink:
    """One shepherd and the two sockets to it.

    `on_event(message)` receives its events (see `chaos.supervision.shepherd`). `on_gone(error)` is called once if it
    exits before `close`. `failed_undos`: what could not be undone, as messages.
    """

    def __init__(
        self,
        *,
        run_dir: Path,
        undo_path: Path,
        owner: str,
        token: str,
        lease_s: float,
        on_event: Callable[[dict[str, Any]], None],
        on_gone: Callable[[ShepherdGone], None],
    ) -> None:
        self.mark = f"{owner}/{secrets.token_hex(4)}"
        """Value of RUN_MARK in the environment of every process of this run."""
        self.gone: ShepherdGone | None = None
        self.failed_undos: list[str] = []
        self.not_killed: list[int] = []
        """Pids of the processes that the shepherd could not kill."""
        self.log = run_dir / "logs" / "shepherd.log"
        self._run_dir = run_dir
        self.commands_s = 0.0
        """How long the commands that undo armed faults may take, seconds: the shepherd has as much more time."""
        self._lock: int | None = None
        self._undo_path = undo_path.resolve()
        self._owner = owner
        self._token = token
        self._lease_s = lease_s
        self._on_event = on_event
        self._on_gone = on_gone
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0
        self._leaving_reason = ""
        self._closing = False
        self._left = False
        self._tasks: list[asyncio.Task[None]] = []
        self.swept = asyncio.Event()
        """Set once the processes of the run were killed, after the shepherd itself was gone."""

    @property
    def pid(self) -> int:
        """The pid of the shepherd."""
        return self._process.pid

    async def open(self) -> None:
        """Start the shepherd. Raises TargetFailed if it does not start."""
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Two sockets: if a write fails because the shepherd has exited, its last messages must still be readable.
        to_shepherd, from_shepherd = self._start()
        _, self._writer = await asyncio.open_connection(sock=to_shepherd)
        reader, self._unused = await asyncio.open_connection(sock=from_shepherd, limit=LINE_BYTES)
        self._tasks = [asyncio.create_task(self._read_messages(reader)), asyncio.create_task(self._send_heartbeats())]
        try:
            async with asyncio.timeout(START_WITHIN_S):
                await asyncio.shield(self._ready)
        except BaseException as error:
            self._closing = True
            await self._end(0.0)
            if isinstance(error, TimeoutError):
                raise TargetFailed(f"the shepherd did not start within {START_WITHIN_S:g} s; see {self.log}") from None
            raise

    async def request(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return its reply. Raises Refused for an error, ShepherdGone if there is no reply."""
        if self.gone is not None:
            raise self.gone
        if self._left:
            raise ShepherdGone(LEFT)
        self._last_id = number = self._last_id + 1
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._send({"id": number, "do": do, **fields})
        try:
            async with asyncio.timeout(REPLY_WITHIN_S):
                message = await reply
        except TimeoutError:
            # It is stopped or stuck. Killing it kills every process of the run, so that the state is known.
            self._process.kill()
            raise ShepherdGone(f"the shepherd did not reply within {REPLY_WITHIN_S:g} s and was killed") from None
        finally:
            self._replies.pop(number, None)
        if "error" in message:
            raise Refused(message["error"])
        return message

    def leave(self) -> None:
        """Ask the shepherd to end: it kills every process and undoes every armed fault. `close` must follow."""
        self._closing = True
        self._send({"do": "shutdown"})
        self.resume()

    @property
    def stopped(self) -> bool:
        """Whether somebody has stopped the shepherd (SIGSTOP)."""
        stat = read_stat(self.pid)
        return stat is not None and stat.parent == os.getpid() and stat.state in "Tt"

    def resume(self) -> None:
        """Let a stopped shepherd continue."""
        with contextlib.suppress(OSError):
            self._process.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """Let the shepherd undo all armed faults, kill the remaining processes of the run, and exit."""
        try:
            self._closing = True
            with contextlib.suppress(ShepherdGone, Refused):
                await self.request("shutdown")
        finally:
            await self._end(EXIT_WITHIN_S + self.commands_s)

    def _start(self) -> tuple[socket.socket, socket.socket]:
        try:
            # The shepherd inherits it: the folder stays locked as long as one of the two lives.
            self._lock = lock_folder(self._run_dir)
        except OSError as error:
            raise TargetFailed(f"the run's folder {self._run_dir} cannot be locked: {error.strerror}") from error
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {"BROWNOUT_TOKEN": self._token, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        # -S, without `site`: it needs the standard library only, and starts in half the time.
        argv = python_words("-S", "-m", "chaos.supervision.shepherd")
        with contextlib.ExitStack() as at_failure:
            at_failure.callback(self._unlock)
            try:
                self.log.parent.mkdir(mode=0o700, exist_ok=True)
                its_input = socket.socketpair()
                at_failure.callback(its_input[0].close)
                its_output = socket.socketpair()
                at_failure.callback(its_output[0].close)
                with its_input[1], its_output[1], self.log.open("ab") as log:
                    self._process = subprocess.Popen(
                        [*argv, str(self._undo_path), self._owner, str(self._lease_s)],
                        env=environment,
                        stdin=its_input[1].fileno(),
                        stdout=its_output[1].fileno(),
                        stderr=log,
                        start_new_session=True,
                        pass_fds=() if self._lock is None else (self._lock,),
                    )
            except OSError as error:
                raise TargetFailed(
                    f"the shepherd cannot be started: {error.strerror or error}. Nothing else was started: give the "
                    "machine memory, processes (ulimit -u) or open files (ulimit -n) to spare, and run again"
                ) from error
            at_failure.pop_all()
        its_input[0].setblocking(False)
        its_output[0].setblocking(False)
        return its_input[0], its_output[0]

    def _send(self, message: dict[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def _send_heartbeats(self) -> None:
        while self.gone is None:
            self._send({"do": "beat"})
            await asyncio.sleep(self._lease_s / HEARTBEATS_PER_LEASE)

    async def _read_messages(self, reader: asyncio.StreamReader) -> None:
        why = ""
        try:
            while line := await reader.readline():
                self._on_message(json.loads(line))
        except ValueError as error:
            why = f"invalid message: {error}"
        except OSError:
            pass  # a connection reset counts as the end of the stream
        await self._on_disconnect(why)

    def _on_message(self, message: dict[str, Any]) -> None:
        event = message.get("event")
        if event is None:
            reply = self._replies.get(message.get("id", 0))
            if reply is not None and not reply.done():
                reply.set_result(message)
        elif event == "ready":
            if not self._ready.done():
                self._ready.set_result(None)
        elif event == "leaving":
            self._leaving_reason = message["why"]
            self.failed_undos += message["failed"]
            self.not_killed = message["left"]
        else:
            self._on_event(message)

    async def _on_disconnect(self, why: str) -> None:
        """The connection is closed: by `close`, or because the shepherd exited early."""
        if self._closing and self._leaving_reason:
            self._left = True
            self._fail_waiting(ShepherdGone(LEFT))
            return
        self._process.kill()
        status = await asyncio.to_thread(self._process.wait)
        if self._leaving_reason:
            why = self._leaving_reason
        elif not why:
            why = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
        self.gone = ShepherdGone(
            f"the shepherd (process {self.pid}) has exited ({why}), so every process of the run ends; log: {self.log}"
        )
        self._fail_waiting(self.gone)
        self._on_gone(self.gone)
        try:
            await asyncio.to_thread(self._clean_up)
        finally:
            self.swept.set()

    def _fail_waiting(self, error: ShepherdGone) -> None:
        waiting: list[asyncio.Future[Any]] = [*self._replies.values(), self._ready]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # marks it as retrieved: asyncio must not warn if no task waits for it

    def _clean_up(self) -> None:
        """After a killed shepherd: undo the armed faults, and kill the processes that its children started."""
        if self._leaving_reason:
            self.not_killed = self._sweep()
            return
        _, failed, self.not_killed = undo_at_end(
            self._undo_path, self._owner, token=self._token, by="runner", kill=self._sweep, start=_not_started
        )
        self.failed_undos += failed

    def _sweep(self) -> list[int]:
        """Kill the processes of the run. Returns the pids of those that are left."""
        deadline = time.monotonic() + SWEEP_WITHIN_S
        while (members := run_members(RUN_MARK, self.mark)) and time.monotonic() < deadline:
            for member in members:
                with contextlib.suppress(WrongProcess, OSError):
                    send_signal(member, signal.SIGKILL)
            time.sleep(0.01)
        return [member.pid for member in members]

    async def _end(self, within_s: float) -> None:
        """Wait until the shepherd exits, kill it if it does not, and close everything."""
        reading, heartbeats = self._tasks
        done, _ = await asyncio.wait({reading}, timeout=within_s)
        if not done:
            self._process.kill()
            await asyncio.wait({reading}, timeout=within_s + SWEEP_WITHIN_S)
        for writer in (self._writer, self._unused):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        for task in (reading, heartbeats):
            task.cancel()
        await asyncio.gather(reading, heartbeats, return_exceptions=True)
        await asyncio.to_thread(self._process.wait)
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _not_started(_name: str) -> str:
    return "not started: the run has ended, and its other processes with it"
