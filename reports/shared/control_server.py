"""The HTTP server of a control port: the same limits and checks for replicas, the gateway and the collector.

    connection   bounded in time and number, and its heads in size, by `reports.shared.bounded_server`
    access       `reports.shared.control_port.refusal`, before the body is read
    body         type (415), encoding (415) and size after decompression (413), by `read_body`

Every refusal is 4xx with `{"error": ...}`. Only a defect of ours is answered by 500 and logged. Imports aiohttp, so
processes without an HTTP server do not import it (the shepherd, the load generator).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.http import HttpVersion10, HttpVersion11

from reports.shared.bounded_server import BACKLOG, BoundedConnection, BoundedServer, Handle, final
from reports.shared.control_port import TOKEN_HEADER, refusal
from reports.shared.port_limits import PortLimits

__all__ = ["ControlServer", "Refused", "decode_json", "json_response", "read_body"]

_ERROR_CHARACTERS: Final = 300
_ENCODINGS: Final = ("identity", "gzip", "deflate")


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
        self._server: BoundedServer | None = None
        self._listener: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._server.peers) if self._server is not None else 0

    async def start(self, port: int = 0) -> int:
        """Listen. Returns the real port. Raises OSError if the port is in use."""
        server = BoundedServer(self._answer, self._limits, error_response)
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
        assert isinstance(connection, BoundedConnection)
        if refused is not None:
            return final(connection, error_response(*refused))
        if self._token is not None:
            connection.trust()
        if request.version not in (HttpVersion10, HttpVersion11):
            return final(connection, error_response(400, "use HTTP/1.1"))
        try:
            response = await self._handle(request)
            return response if self._token is not None else final(connection, response)
        except Refused as error:
            return error.response if request.content.is_eof() else final(connection, error.response)


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
    limit = f"{limit_bytes / 2**20:g} MiB" if limit_bytes >= 2**20 else f"{limit_bytes / 2**10:g} KiB"
    return Refused(413, f"the body is larger than {limit}")


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
