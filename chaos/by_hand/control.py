"""The control socket of a stack: a Unix socket of mode 0600, a line of JSON for a request and one for its reply.

A request is `{"do": "inject", ...}`. The first line of the answer is `{"taken": true}`, at once: a stack that does not
send it is stopped or hangs. The last one is the reply: `{"ok": true, ...}`, or with `"ok": false`, `error` and `code`,
the exit code of the command. Lines `{"say": "..."}` may come before it, and are for the person who waits.

Only processes of the same user may connect (the mode of the socket, and SO_PEERCRED).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from chaos.by_hand.runtime import Entry
from chaos.supervision.identity import state_of
from reports.shared.errors import BrownoutError, TargetFailed, UserError

__all__ = ["Answer", "ControlSocket", "Say", "ask", "exchange"]

MAX_LINE_BYTES: Final = 1 << 20
REQUEST_WITHIN_S: Final = 5.0
"""How long a client may take to send its request."""
TAKEN_WITHIN_S: Final = 5.0
"""How long a stack may take to say that it has the request."""
REPLY_WITHIN_S: Final = 180.0
"""How long a command waits for its reply: a restart with a cold start takes a while."""

Say = Callable[[str], None]
Answer = Mapping[str, Any]


class Handler(Protocol):
    """What answers a request. `say` sends a line to the person who waits; `gone` is set when that one has left."""

    async def __call__(self, request: Mapping[str, Any], say: Say, gone: asyncio.Event) -> Answer:
        """The fields of the reply. Raises UserError or another BrownoutError."""


class ControlSocket:
    """An async context manager: serves requests at `path` inside the block."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ControlSocket:
        before = os.umask(0o177)
        try:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
            self._server = await asyncio.start_unix_server(self._connected, str(self.path), limit=MAX_LINE_BYTES)
        except OSError as error:
            raise UserError(f"the control socket {self.path} cannot be made: {error.strerror or error}") from None
        finally:
            os.umask(before)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        with contextlib.suppress(OSError):
            self.path.unlink()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if _user_of(writer) != os.getuid():
            return
        try:
            async with asyncio.timeout(REQUEST_WITHIN_S):
                line = await reader.readline()
            request = msgspec.json.decode(line, type=dict[str, Any])
        except (TimeoutError, ValueError, RecursionError, msgspec.DecodeError):
            _send(writer, {"ok": False, "error": "this is no request", "code": 2})
            return
        _send(writer, {"taken": True})
        gone = asyncio.Event()
        watching = asyncio.create_task(_until_closed(reader, gone))
        try:
            reply = await self._reply(request, lambda text: _send(writer, {"say": text}), gone)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        _send(writer, reply)
        await writer.drain()

    async def _reply(self, request: Mapping[str, Any], say: Say, gone: asyncio.Event) -> dict[str, Any]:
        try:
            return {"ok": True, **await self._handler(request, say, gone)}
        except UserError as error:
            return {"ok": False, "error": str(error), "code": 2}
        except BrownoutError as error:
            return {"ok": False, "error": str(error), "code": 5}
        except Exception as error:  # a request that nobody foresaw: the stack stays up
            return {"ok": False, "error": f"the stack could not do it: {error!r}", "code": 5}


def _send(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        writer.write(msgspec.json.encode(message) + b"\n")


async def _until_closed(reader: asyncio.StreamReader, gone: asyncio.Event) -> None:
    """Set `gone` when the client has left: it sends nothing after its request."""
    with contextlib.suppress(ConnectionError, ValueError):
        while await reader.read(1024):
            pass
    gone.set()


def _user_of(writer: asyncio.StreamWriter) -> int:
    connection = writer.get_extra_info("socket")
    facts = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", facts)[1])


def ask(entry: Entry, request: Mapping[str, Any], say: Say = lambda text: None) -> Answer:
    """Send a request to a stack and wait for its reply. `say` gets its lines meanwhile.

    Raises UserError or TargetFailed with the stack's words, TargetFailed if it does not answer.
    """
    for message in exchange(entry, request):
        if "say" in message:
            say(str(message["say"]))
        elif "taken" in message:
            continue
        elif message.get("ok"):
            return message
        else:
            error = str(message.get("error"))
            raise UserError(error) if message.get("code") == 2 else TargetFailed(error)
    raise TargetFailed(f"{entry.name} has ended before it answered")


def exchange(
    entry: Entry, request: Mapping[str, Any], within_s: float = REPLY_WITHIN_S
) -> Generator[dict[str, Any], None, None]:
    """Yield the messages of a stack until it closes the connection; closing this closes it. Raises TargetFailed.

    `within_s`: how long each message after the first may take, seconds.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TAKEN_WITHIN_S)
    with contextlib.closing(connection):
        try:
            connection.connect(entry.socket)
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as lines:
                for line in lines:
                    connection.settimeout(within_s)
                    yield msgspec.json.decode(line, type=dict[str, Any])
        except (OSError, msgspec.DecodeError) as error:
            raise TargetFailed(f"{entry.name} (process {entry.pid}) {_why_silent(entry, error)}") from None


def _why_silent(entry: Entry, error: Exception) -> str:
    state = state_of(entry.identity)
    if state == "gone" or isinstance(error, FileNotFoundError | ConnectionError):
        return "has ended" if state == "gone" else f"takes no commands: {error}"
    if state == "stopped":
        return f"is stopped\n    let it continue: kill -CONT {entry.pid}"
    return "does not answer in time" if isinstance(error, TimeoutError) else f"cannot be asked: {error}"
