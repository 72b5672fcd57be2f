"""The HTTP server of a control port: the same limits and checks for replicas, the gateway and the collector.

    connection   bounded in time and number (`reports.shared.port_limits`); TCP keepalive finds a peer that vanished
    head         a path of at most 2 KiB (else 414), 64 headers of at most 4 KiB each (else 431)
    access       `reports.shared.control_port.refusal`, before the body is read
    body         type (415), encoding (415) and size after decompression (413), by `read_body`

Every refusal is 4xx with `{"error": ...}`. Only a defect of ours is answered by 500 and logged. Imports aiohttp, so
processes without an HTTP server do not import it (the shepherd, the load generator).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion10, HttpVersion11
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from reports.shared.control_port import TOKEN_HEADER, refusal
from reports.shared.port_limits import Peer, PeerTable, PortLimits

__all__ = ["BACKLOG", "ControlServer", "Refused", "decode_json", "json_response", "read_body"]

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

_ERROR_CHARACTERS: Final = 300
_ENCODINGS: Final = ("identity", "gzip", "deflate")

_Response = TypeVar("_Response", bound=web.StreamResponse)

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """The request is not accepted: `status` (4xx), `why`, and headers of the answer.

    `response`: the answer, where `{"error": why}` is not the format of the protocol.
    """

    def __init__(
        self, status: int, why: str, headers: Mapping[str, str] | None = None, *, response: web.Response | None = None
    ) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.response = response if response is not None else error_response(status, why, headers)


class ControlServer:
    """A server on 127.0.0.1. `handle(request)` gets requests with the token only; it may raise `Refused`.

    `token` None: it wants none. Each of its connections is then that of a stranger, and ends with its first answer.
    """

    def __init__(self, handle: Handle, token: str | None, limits: PortLimits | None = None) -> None:
        self._handle = handle
        self._token = token
        self._limits = limits or PortLimits()
        self._server: _Server | None = None
        self._listener: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._server.peers) if self._server is not None else 0

    async def start(self, port: int = 0) -> int:
        """Listen. Returns the real port. Raises OSError if the port is in use."""
        server = _Server(self._answer, self._limits)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(server, "127.0.0.1", port, backlog=BACKLOG)
        self._server = server
        return int(self._listener.sockets[0].getsockname()[1])

    async def close(self, within_s: float = 0.1) -> None:
        """Stop listening, and wait up to `within_s` seconds for requests in progress. Idempotent."""
        listener, self._listener = self._listener, None
        server, self._server = self._server, None
        if listener is not None:
            listener.close()
        if server is not None:
            await asyncio.sleep(0)  # requests that have arrived begin, before idle connections are closed
            server.pre_shutdown()
            await server.shutdown(within_s)
            server.end()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        values = request.headers.getall
        refused = refusal(values("Host", []), values("Origin", []), values(TOKEN_HEADER, []), self._token)
        connection = request.protocol
        assert isinstance(connection, _Connection)
        if refused is not None:
            return _final(connection, error_response(*refused))
        if self._token is not None:
            connection.trust()
        if request.version not in (HttpVersion10, HttpVersion11):
            return _final(connection, error_response(400, "use HTTP/1.1"))
        try:
            response = await self._handle(request)
            return response if self._token is not None else _final(connection, response)
        except Refused as error:
            return error.response if request.content.is_eof() else _final(connection, error.response)


class _Server(web.Server):
    """Makes the connections of one port, and drops those over a limit."""

    def __init__(self, answer: Handle, limits: PortLimits) -> None:
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
        self._sweep_s = limits.sweep_s
        self._timer: asyncio.TimerHandle | None = None
        self._clock = loop

    def __call__(self) -> RequestHandler:
        return _Connection(self, self._clock)

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


class _Connection(RequestHandler):
    """aiohttp's connection, with the limits of a control port."""

    __slots__ = ("_guard", "_peer")

    def __init__(self, guard: _Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            guard,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=LINE_BYTES,
            max_field_size=FIELD_BYTES,
            max_headers=HEADERS,
            lingering_time=LINGER_S,
        )
        self._guard = guard
        self._peer = Peer(self._drop)

    def trust(self) -> None:
        """A request had the token; it is handled now. Its bytes may have come together with those of the one before."""
        self._peer.received()
        if not self._peer.own and (victim := self._guard.peers.trust(self._peer)) is not None:
            victim.drop()

    def _drop(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer_socket = transport.get_extra_info("socket")
        if peer_socket is not None:
            for option, value in KEEPALIVE.items():
                peer_socket.setsockopt(socket.IPPROTO_TCP, option, value)
        self._guard.admit(self._peer)

    def connection_lost(self, exc: BaseException | None) -> None:
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
            return _final(self, error_response(*_parse_error(exc)))
        return super().handle_error(request, status, exc, message)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        # The peer's fault, not ours: it closed the connection, or sent a body that cannot be decoded.
        if not isinstance(kw.get("exc_info"), ConnectionError | web.RequestPayloadError):
            super().log_exception(*args, **kw)


def _parse_error(error: BadHttpMessage) -> tuple[int, str]:
    if isinstance(error, LineTooLong):
        if error.args[1] == LINE_BYTES:
            return 414, f"the path is longer than {LINE_BYTES} bytes"
        return 431, f"a header is longer than {FIELD_BYTES} bytes"
    if error.message.startswith("Too many headers"):
        return 431, f"there are more than {HEADERS} headers"
    return 400, "this is not a valid HTTP request"


def _final(connection: _Connection | RequestHandler, response: _Response) -> _Response:
    """The last answer of a connection: what the peer still sends is ignored."""
    response.force_close()
    connection.close()
    return response


async def read_body(request: web.BaseRequest, limit_bytes: int, media_type: str) -> bytes:
    """The decompressed body. Raises `Refused` for another type or encoding, a body that is too large or is invalid.

    Raises ConnectionError if the peer is gone. The request does not keep the body, as that of `request.read()` does:
    an idle connection keeps its last request.
    """
    if request.content_type != media_type:
        raise Refused(415, f"send {media_type}, as the header Content-Type says")
    encodings = request.headers.getall("Content-Encoding", ["identity"])
    if len(encodings) != 1 or encodings[0].lower() not in _ENCODINGS:
        raise Refused(415, f"the Content-Encoding must be one of {', '.join(_ENCODINGS)}")
    if (request.content_length or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    expect = request.headers.get("Expect")
    if expect is not None:
        if expect.lower() != "100-continue":
            raise Refused(417, "the only known Expect is 100-continue")
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    parts: list[bytes] = []
    size = 0
    try:
        while part := await request.content.readany():
            size += len(part)
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            parts.append(part)
    except web.RequestPayloadError:
        raise Refused(400, "the body does not match its Content-Encoding, or has invalid chunks") from None
    except OSError as error:
        raise ConnectionResetError("the peer closed the connection within a body") from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit_bytes: int) -> Refused:
    return Refused(413, f"the body is larger than {limit_bytes / 1024 / 1024:g} MiB")


def decode_json(body: bytes, decode: Callable[[bytes], Any]) -> Any:
    """What `decode` makes of a body. Raises `Refused` if it is invalid, also if it is nested too deeply."""
    try:
        return decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as error:
        raise Refused(400, str(error)) from None


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with a JSON body."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json", headers=headers)


def error_response(status: int, why: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """`{"error": why}`, shortened; characters that UTF-8 does not have are escaped."""
    text = why.encode(errors="backslashreplace").decode()
    if len(text) > _ERROR_CHARACTERS:
        text = text[:_ERROR_CHARACTERS] + "..."
    return json_response(status, {"error": text}, headers)
