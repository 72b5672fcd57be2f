"""Pushes: one document for each role at each tick, the same bytes for all of its streams.

The tick is fixed, whatever happens in the exercise: when something is pushed tells nothing. A stream holds at most one
document that is not sent yet, always the newest; what its browser did not read in time is never sent. A browser that
reads nothing for `drain_s` is cut off; it comes back by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from chaos.gameday.core.roles import Role
from chaos.gameday.server.access import Session
from chaos.gameday.server.answers import encode
from chaos.gameday.server.room import Room
from reports.shared.control_server import Refused

__all__ = ["DRAIN_S", "MOST_STREAMS", "MOST_STREAMS_EACH", "TICK_S", "Pushes", "Stream", "bound_buffers"]

TICK_S: Final = 1.0
DRAIN_S: Final = 30.0
MOST_STREAMS: Final[Mapping[Role, int]] = {Role.GAMEMASTER: 32, Role.RESPONDER: 80, Role.AUDIENCE: 144}
"""Open streams of each role: who has one link cannot use up those of another. 256 in all."""
MOST_STREAMS_EACH: Final = 8
"""Open streams of one session: its tabs."""

SOCKET_BYTES: Final = 64 * 1024
"""What the kernel holds for a stream that is not read; more would be old documents."""

_BYE: Final = b"event: bye\ndata: {}\n\n"
_LOG: Final = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Stream:
    """One open stream. `renew` tells the connection that the stream is alive."""

    session: Session
    renew: Callable[[], None]
    _newest: bytes | None = None
    _ended: bool = False
    _waiter: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, frame: bytes) -> None:
        """A newer document takes the place of one that is not sent yet."""
        self._newest = frame
        self._waiter.set()

    def end(self, bye: bytes | None = None) -> None:
        """Nothing follows, apart from `bye`."""
        self._newest = bye
        self._ended = True
        self._waiter.set()

    async def next(self) -> bytes | None:
        """The newest document, when there is one; None: the stream ends."""
        while self._newest is None and not self._ended:
            self._waiter.clear()
            await self._waiter.wait()
        frame, self._newest = self._newest, None
        return frame


class Pushes:
    """All open streams, and the tick."""

    def __init__(self, room: Room, tick_s: float = TICK_S) -> None:
        self._room = room
        self._tick_s = tick_s
        self._seq = 0
        self._streams: dict[Role, set[Stream]] = {role: set() for role in Role}
        self._frames: dict[Role, bytes] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to tick."""
        self._task = asyncio.get_running_loop().create_task(self._ticking())

    async def close(self) -> None:
        """Say goodbye to every stream, and tick no more. Idempotent."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for streams in self._streams.values():
            for stream in streams:
                stream.end(_BYE)

    def count(self, role: Role | None = None) -> int:
        """The number of open streams."""
        return sum(len(streams) for one, streams in self._streams.items() if role in (None, one))

    def document(self, role: Role) -> bytes:
        """The present document of a role, encoded."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        document: dict[str, Any] = {"seq": self._seq, "at": at, **self._room.view(role)}
        return encode(document)

    def open(self, session: Session, renew: Callable[[], None]) -> tuple[Stream, bytes]:
        """A new stream, and what is sent at its begin: who you are, and the present document. Raises Refused."""
        person = session.person
        if self._closed:
            raise Refused(409, "the game day is over; its server ends")
        if session.streams >= MOST_STREAMS_EACH:
            why = f"you have {session.streams} pages open already; close one"
            raise Refused(429, why, {"Retry-After": "5"})
        if self.count(person.role) >= MOST_STREAMS[person.role]:
            why = f"{MOST_STREAMS[person.role]} pages of your role are open already; try again in a moment"
            raise Refused(429, why, {"Retry-After": "5"})
        you = encode({"id": person.id, "name": person.name, "role": person.role.value})
        frame = self._frames.get(person.role)
        if frame is None:
            frame = self._frames[person.role] = self._frame(person.role)
        stream = Stream(session, renew)
        self._streams[person.role].add(stream)
        session.streams += 1
        self._room.connected(person, session.streams)
        return stream, b"retry: 1000\nevent: you\ndata: " + you + b"\n\n" + frame

    def closed(self, stream: Stream) -> None:
        """The stream is gone."""
        session = stream.session
        streams = self._streams[session.person.role]
        if stream in streams:
            streams.remove(stream)
            session.streams -= 1
            self._room.connected(session.person, session.streams)

    def end(self, session: Session) -> None:
        """End the streams of a session that left."""
        for stream in self._streams[session.person.role]:
            if stream.session is session:
                stream.end()

    def tick(self) -> None:
        """Push the present document of each role to its streams."""
        self._seq += 1
        self._frames.clear()
        for role, streams in self._streams.items():
            if not streams:
                continue
            for stream in streams:
                stream.renew()
            try:
                frame = self._frames[role] = self._frame(role)
            except Exception:  # a defect of the exercise must not end the pages: they show how old their numbers are
                _LOG.exception("the document of the role %s could not be made", role.value)
                continue
            for stream in streams:
                stream.offer(frame)

    def _frame(self, role: Role) -> bytes:
        return b"event: state\nid: %d\ndata: %b\n\n" % (self._seq, self.document(role))

    async def _ticking(self) -> None:
        clock = asyncio.get_running_loop().time
        next_s = clock() + self._tick_s
        while True:
            await asyncio.sleep(max(0.0, next_s - clock()))
            self.tick()
            # After a pause of this process, the ticks that were missed are left out.
            next_s += self._tick_s * max(1, int((clock() - next_s) / self._tick_s) + 1)


def bound_buffers(transport: asyncio.Transport | None) -> None:
    """What a stream's browser does not read stays small, here and in the kernel."""
    if transport is None:
        raise ConnectionResetError("the browser is gone")
    transport.set_write_buffer_limits(high=1, low=0)  # with 0, asyncio's TLS would pause for ever
    end = transport.get_extra_info("socket")
    if end is not None:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
