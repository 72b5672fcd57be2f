"""An HTTP server whose connections are bounded in time and number, and the size of heads.

    connection   bounded by `reports.shared.port_limits`; TCP keepalive finds a peer that vanished
    head         a path of at most 2 KiB (else 414), 64 headers of at most 4 KiB each (else 431)

The server of control ports (`control_server`) and that of a game day's pages stand on it. They decide who is trusted,
and how a refusal looks. Imports aiohttp.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from reports.shared.port_limits import Peer, PeerTable, PortLimits

__all__ = ["BACKLOG", "BoundedConnection", "BoundedServer", "Handle", "final"]

BACKLOG: Final = 128
"""Connections that the kernel holds until they are accepted. Below `PortLimits.strangers`: however many strangers
connect at once, a new connection is read before newer ones can drop it."""

LINE_BYTES: Final = 2048
FIELD_BYTES: Final = 4096
HEADERS: Final = 64
LINGER_S: Final = 0.3
"""After a refusal, the rest of the body is ignored for this long, so that the peer can read the answer."""

KEEPALIVE: Final = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
"""A peer that vanished without closing is noticed after 25 s. A frozen process stays: its kernel still replies."""

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds (socket(7)): closing resets the connection."""

_Response = TypeVar("_Response", bound=web.StreamResponse)

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refuse = Callable[[int, str], web.Response]


class BoundedServer(web.Server):
    """Makes the connections of one port, and drops those over a limit.

    `answer`: the answer to a request whose head is valid. `refuse`: the answer to an invalid one, by status and reason.
    `field_bytes`: the longest header.
    """

    def __init__(self, answer: Handle, limits: PortLimits, refuse: Refuse, *, field_bytes: int = FIELD_BYTES) -> None:
        loop = asyncio.get_running_loop()

        def make_request(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            return web.BaseRequest(message, payload, protocol, writer, task, loop)

        super().__init__(answer, request_factory=make_request, handler_cancellation=True)
        self.peers = PeerTable(limits)
        self.refuse = refuse
        self.field_bytes = field_bytes
        self._sweep_s = limits.sweep_s
        self._timer: asyncio.TimerHandle | None = None
        self._clock = loop

    def __call__(self) -> RequestHandler:
        return self.connection()

    def connection(self, peer: Peer | None = None) -> BoundedConnection:
        """The protocol of a connection. `peer`: it was admitted already, before its TLS handshake."""
        return BoundedConnection(self, self._clock, peer)

    def admit(self, peer: Peer) -> None:
        """A connection was made."""
        if (victim := self.peers.admit(peer)) is not None:
            victim.drop()
        if self._timer is None:
            self._timer = self._clock.call_later(self._sweep_s, self._sweep)

    def _sweep(self) -> None:
        for peer in self.peers.sweep():
            peer.drop()
        self._timer = self._clock.call_later(self._sweep_s, self._sweep) if len(self.peers) else None

    def end(self) -> None:
        """No sweep follows."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class BoundedConnection(RequestHandler):
    """aiohttp's connection, with limits."""

    __slots__ = ("_admitted", "_guard", "_peer", "_wire")

    def __init__(self, guard: BoundedServer, loop: asyncio.AbstractEventLoop, peer: Peer | None = None) -> None:
        super().__init__(
            guard,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=LINE_BYTES,
            max_field_size=guard.field_bytes,
            max_headers=HEADERS,
            lingering_time=LINGER_S,
        )
        self._guard = guard
        self._wire: asyncio.BaseTransport | None = None
        self._admitted = peer is not None
        self._peer = peer if peer is not None else Peer(self._drop)

    def trust(self) -> None:
        """A request had the token; it is handled now. Its bytes may have come together with those of the one before."""
        self._peer.received()
        if not self._peer.own and (victim := self._guard.peers.trust(self._peer)) is not None:
            victim.drop()

    def received_whole(self) -> None:
        """The request is received; what its answer takes is not the peer's time."""
        self._peer.answered()

    def renew(self) -> None:
        """The request in progress, a stream, is alive: its time begins again."""
        self._peer.renew()

    def drop(self) -> None:
        """End the connection at once by a reset: what is still to be sent is gone, from the kernel's memory too."""
        if self._wire is not None and (end := self._wire.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._drop()

    def _drop(self) -> None:
        # aiohttp forgets its transport when it closes it, even if the peer does not read what is still to be sent.
        if self._wire is not None:
            self._wire.abort()  # type: ignore[attr-defined]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = transport
        peer_socket = transport.get_extra_info("socket")
        if peer_socket is not None:
            for option, value in KEEPALIVE.items():
                peer_socket.setsockopt(socket.IPPROTO_TCP, option, value)
        if self._admitted:
            self._peer.drop = self._drop
        else:
            self._guard.admit(self._peer)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._wire = None
        self._guard.peers.forget(self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if data:
            self._peer.received()
        super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        self._peer.answered()
        if self.writing_paused:  # it sends requests without reading the answers, which would fill the memory
            self._drop()
        return finished

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if isinstance(exc, BadHttpMessage):
            return final(self, self._guard.refuse(*_parse_error(exc, self._guard.field_bytes)))
        return super().handle_error(request, status, exc, message)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        # The peer's fault, not ours: it closed the connection, or sent a body that cannot be decoded.
        if not isinstance(kw.get("exc_info"), ConnectionError | web.RequestPayloadError):
            super().log_exception(*args, **kw)


def _parse_error(error: BadHttpMessage, field_bytes: int) -> tuple[int, str]:
    if isinstance(error, LineTooLong):
        if error.args[1] == LINE_BYTES:
            return 414, f"the path is longer than {LINE_BYTES} bytes"
        return 431, f"a header is longer than {field_bytes} bytes"
    if error.message.startswith("Too many headers"):
        return 431, f"there are more than {HEADERS} headers"
    return 400, "this is not a valid HTTP request"


def final(connection: RequestHandler, response: _Response) -> _Response:
    """The last answer of a connection: what the peer still sends is ignored."""
    response.force_close()
    connection.close()
    return response
