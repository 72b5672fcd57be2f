"""The line to the shepherd: starts it, keeps the lease by a heartbeat, asks and hears, and notices when it is gone.

`chaos.supervision.supervisor` is what the rest of the runner uses.
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
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.supervision.identity import Stranger, run_members, send_signal
from chaos.supervision.undo import heal
from reports.shared.errors import BrownoutError, TargetFailed

__all__ = ["RUN_MARK", "Refused", "ShepherdGone", "ShepherdLink"]

RUN_MARK = "BROWNOUT_RUN"
"""Environment variable that marks what a run started, so that it is found even when the shepherd was killed."""

BEATS_A_LEASE = 5
START_WITHIN_S = 15.0
ANSWER_WITHIN_S = 20.0
LEAVE_WITHIN_S = 30.0
SWEEP_WITHIN_S = 5.0
LINE_BYTES = 8 * 1024 * 1024

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")


class ShepherdGone(TargetFailed):
    """The shepherd is no more, and so is every process of the run."""


class Refused(Exception):
    """The shepherd answered a request with an error."""


class ShepherdLink:
    """One shepherd and the two sockets to it.

    `on_event(message)` hears its events (`chaos.supervision.shepherd` describes them); `on_gone(error)` is called once if it is
    gone before `close`. `failed_undos` lists, in words, what could not be undone.
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
        self.left: list[int] = []
        """Processes that the shepherd could not kill."""
        self.log = run_dir / "logs" / "shepherd.log"
        self._undo_path = undo_path.resolve()
        self._owner = owner
        self._token = token
        self._lease_s = lease_s
        self._on_event = on_event
        self._on_gone = on_gone
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0
        self._parting_words = ""
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        """The shepherd's process."""
        return self._process.pid

    async def open(self) -> None:
        """Start the shepherd. Raises TargetFailed where it does not."""
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Two sockets: a write that fails, since the shepherd is gone, must not lose what it said last.
        to_shepherd, from_shepherd = self._start()
        _, self._writer = await asyncio.open_connection(sock=to_shepherd)
        reader, self._unused = await asyncio.open_connection(sock=from_shepherd, limit=LINE_BYTES)
        self._tasks = [asyncio.create_task(self._listen(reader)), asyncio.create_task(self._beat())]
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), START_WITHIN_S)
        except BaseException as error:
            self._closing = True
            await self._end(0.0)
            if isinstance(error, TimeoutError):
                raise TargetFailed(f"the shepherd did not start within {START_WITHIN_S:g} s; see {self.log}") from None
            raise

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """One request and its answer. Raises Refused, and ShepherdGone where there is no more answer to come."""
        if self.gone is not None:
            raise self.gone
        self._last_id = number = self._last_id + 1
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._send({"id": number, "do": do, **fields})
        try:
            answer = await asyncio.wait_for(reply, ANSWER_WITHIN_S)
        except TimeoutError:
            # Stopped, or worse. Killing it ends every process of the run, which is better than not knowing.
            self._process.kill()
            raise ShepherdGone(f"the shepherd did not answer within {ANSWER_WITHIN_S:g} s and was killed") from None
        finally:
            self._replies.pop(number, None)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    async def close(self) -> None:
        """Let the shepherd undo what is armed, kill what is left of the run, and leave."""
        try:
            self._closing = True
            with contextlib.suppress(ShepherdGone, Refused):
                await self.ask("shutdown")
        finally:
            await self._end(LEAVE_WITHIN_S)

    def _start(self) -> tuple[socket.socket, socket.socket]:
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"BROWNOUT_TOKEN": self._token, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        # Without `site`: nothing but the standard library is needed, and it starts in half the time.
        argv = [sys.executable, "-S", "-P", "-m", "chaos.supervision.shepherd"]
        its_input, its_output = socket.socketpair(), socket.socketpair()
        try:
            with its_input[1], its_output[1], self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*argv, str(self._undo_path), self._owner, str(self._lease_s)],
                    env=environment,
                    stdin=its_input[1].fileno(),
                    stdout=its_output[1].fileno(),
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            its_input[0].close()
            its_output[0].close()
            raise TargetFailed(f"the shepherd cannot be started: {error}") from error
        its_input[0].setblocking(False)
        its_output[0].setblocking(False)
        return its_input[0], its_output[0]

    def _send(self, message: dict[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def _beat(self) -> None:
        while self.gone is None:
            self._send({"do": "beat"})
            await asyncio.sleep(self._lease_s / BEATS_A_LEASE)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        why = ""
        try:
            while line := await reader.readline():
                self._hear(json.loads(line))
        except ValueError as error:
            why = f"it could not be understood: {error}"
        except OSError:
            pass  # a reset is an end like any other
        await self._lost(why)

    def _hear(self, message: dict[str, Any]) -> None:
        event = message.get("event")
        if event is None:
            reply = self._replies.get(message.get("id", 0))
            if reply is not None and not reply.done():
                reply.set_result(message)
        elif event == "ready":
            if not self._ready.done():
                self._ready.set_result(None)
        elif event == "leaving":
            self._parting_words = message["why"]
            self.failed_undos += message["failed"]
            self.left = message["left"]
        else:
            self._on_event(message)

    async def _lost(self, why: str) -> None:
        """The line is closed: as it should be, or before its time."""
        if self._closing and self._parting_words:
            self._fail_waiting(ShepherdGone("the run is over"))
            return
        self._process.kill()
        status = await asyncio.to_thread(self._process.wait)
        if self._parting_words:
            why = f"it left: {self._parting_words}"
        elif not why:
            why = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
        self.gone = ShepherdGone(
            f"the shepherd (process {self.pid}) is gone ({why}), and with it every process of the run; see {self.log}"
        )
        self._fail_waiting(self.gone)
        self._on_gone(self.gone)
        await asyncio.to_thread(self._clean_up)

    def _fail_waiting(self, error: ShepherdGone) -> None:
        waiting: list[asyncio.Future[Any]] = [*self._replies.values(), self._ready]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # whoever waits hears of it; that nobody does is no mistake

    def _clean_up(self) -> None:
        """Do what a killed shepherd could not: undo what is armed, and end what its children had started."""
        if not self._parting_words:
            try:
                healed = heal(self._undo_path, self._owner, token=self._token, by="runner")
                self.failed_undos += [str(one) for one in healed if not one.ok]
            except (BrownoutError, OSError) as error:
                self.failed_undos.append(str(error))
        deadline = time.monotonic() + SWEEP_WITHIN_S
        while (members := run_members(RUN_MARK, self.mark)) and time.monotonic() < deadline:
            for member in members:
                with contextlib.suppress(Stranger, OSError):
                    send_signal(member, signal.SIGKILL)
            time.sleep(0.01)

    async def _end(self, within_s: float) -> None:
        """Wait for the shepherd to leave, end it if it does not, and let go of everything."""
        listening, beating = self._tasks
        done, _ = await asyncio.wait({listening}, timeout=within_s)
        if not done:
            self._process.kill()
            await asyncio.wait({listening}, timeout=within_s + SWEEP_WITHIN_S)
        for writer in (self._writer, self._unused):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        for task in (listening, beating):
            task.cancel()
        await asyncio.gather(listening, beating, return_exceptions=True)
        await asyncio.to_thread(self._process.wait)
