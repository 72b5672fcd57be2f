"""Connections of the load's client: geventhttpclient's parser and sockets, with our own timeouts and error handling.

We do not use its `HTTPClient`, because that merges and validates the same headers on every request, caps the number of
connections, and does not show in which phase (connect, send, headers, body) a timeout or a reset happened.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import Protocol, cast

import gevent.monkey
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPParseError, HTTPResponse

from loadprofiles.client.endpoint import Endpoint, header_problem
from loadprofiles.client.http_head import HeadReader
from reports.shared.errors import UserError

__all__ = [
    "BrokenMessageError",
    "Connection",
    "ConnectionClosedError",
    "Connections",
    "request_head",
]

KEEP_ALIVE_S = 5.0
"""Connections idle for longer are not reused. The value is that of the HTTP client inside both SDKs."""
_BLOCK = 16 * 1024


class ConnectionClosedError(Exception):
    """The peer closed or reset the connection before the message was complete."""


class BrokenMessageError(Exception):
    """The received bytes are not HTTP."""


class _Socket(Protocol):
    def sendall(self, data: bytes) -> None: ...
    def recv(self, size: int) -> bytes: ...
    def settimeout(self, limit_s: float | None) -> None: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...


class _Parser(HTTPResponse):  # type: ignore[misc]  # geventhttpclient carries no types under our mypy settings
    """Parser of one message. Collects the body in pieces as they were framed.

    `ended`: the message is complete, and no interim one (1xx). Bytes after it belong to no message (RFC 9112, 6.3).
    """

    def __init__(self) -> None:
        super().__init__(method="POST")
        self.body: list[bytes] = []
        self.ended = False
        self._final = False

    def _on_headers_complete(self) -> int | bool | None:
        self._final = self.get_code() >= 200
        return cast("int | bool | None", super()._on_headers_complete())

    def _on_message_complete(self) -> None:
        super()._on_message_complete()
        self.ended = self._final

    def _on_message_begin(self) -> None:
        if self.ended:
            raise HTTPParseError("bytes after the end of the message")
        super()._on_message_begin()

    def _on_body(self, piece: bytes) -> None:
        self.body.append(piece)


class Connection:
    """One connection, one request at a time: `send`, then `receive` until `complete`."""

    def __init__(self, sock: _Socket) -> None:
        self._sock = sock
        self._parser = _Parser()
        self._head = HeadReader()
        self._spoiled = False
        self.idle_since_s = 0.0

    def send(self, request: bytes, limit_s: float) -> None:
        """Writes a request. Raises OSError (TimeoutError included)."""
        self._parser = _Parser()
        self._head = HeadReader()
        self._sock.settimeout(limit_s)
        self._sock.sendall(request)

    def receive(self, limit_s: float) -> bytes:
        """Waits for the next bytes and returns their part of the body, which may be empty.

        Raises TimeoutError after `limit_s` seconds without a byte, `ConnectionClosedError`, `BrokenMessageError`, or
        another OSError.
        """
        self._sock.settimeout(limit_s)
        try:
            data = self._sock.recv(_BLOCK)
        except ConnectionError as error:
            raise ConnectionClosedError(str(error)) from error
        parser = self._parser
        try:
            right = self._head.feed(data)
            if right or not data:
                parser.feed(right)
            if right and not data:
                parser.feed(data)  # the end
        except HTTPParseError as error:
            if parser.ended:
                self._spoiled = True
            elif data:
                raise BrokenMessageError(str(error)) from error
            else:
                raise ConnectionClosedError("closed in the middle of the message") from error
        if not data and not parser.message_complete:
            raise ConnectionClosedError("closed before the message was complete")
        if not parser.body:
            return b""
        body = b"".join(parser.body)
        parser.body.clear()
        return body

    @property
    def status(self) -> int | None:
        """The response's status; None until its headers are complete. Interim 1xx responses are ignored."""
        parser = self._parser
        if not parser.headers_complete:
            return None
        code = cast(int, parser.get_code())
        return code if code >= 200 else None

    @property
    def complete(self) -> bool:
        """The response is complete as an HTTP message."""
        return self.status is not None and bool(self._parser.message_complete)

    @property
    def reusable(self) -> bool:
        """The connection can be used for another request."""
        return not self._spoiled and not self._parser.should_close()

    def headers(self) -> dict[str, str]:
        """The response's headers, names in lower case, repeated headers joined by a comma."""
        found: dict[str, str] = {}
        for name, value in self._parser.items():
            key = name.lower()
            found[key] = f"{found[key]}, {value}" if key in found else value
        return found

    def header(self, name: str) -> str | None:
        """One header of the response, the first if it is repeated; None if absent."""
        found = self._parser.get(name)
        return found[0] if isinstance(found, list) else cast("str | None", found)

    def alive(self) -> bool:
        """Whether an idle connection is usable. If it is readable, the peer closed it or sent unrequested data."""
        try:
            poll = _poll()
            poll.register(self._sock.fileno(), select.POLLIN)
            return not poll.poll(0)
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """Closes the socket; ignores errors."""
        try:
            self._sock.close()
        except OSError:
            return


_poll = gevent.monkey.get_original("select", "poll")
"""The operating system's `poll`: gevent's yields to other greenlets even when it does not wait."""


class Connections:
    """Keep-alive connections to one endpoint, without a limit. The most recently used idle one is reused first."""

    def __init__(self, endpoint: Endpoint, connect_timeout_s: float) -> None:
        self.endpoint = endpoint
        self.connect_timeout_s = connect_timeout_s
        pool = SSLConnectionPool if endpoint.tls else ConnectionPool
        self._factory = pool(
            endpoint.host,
            endpoint.port,
            endpoint.host,
            endpoint.port,
            connection_timeout=connect_timeout_s,
            network_timeout=connect_timeout_s,
        )
        self._idle: list[Connection] = []

    def acquire(self) -> Connection:
        """An idle connection that is still alive, or a new one. Raises OSError (TimeoutError if connecting takes too
        long)."""
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.idle_since_s <= KEEP_ALIVE_S and connection.alive():
                return connection
            connection.close()
        return Connection(self._factory._create_socket())

    def release(self, connection: Connection) -> None:
        """Returns a connection to the pool, or closes it if it cannot be reused."""
        if connection.complete and connection.reusable:
            connection.idle_since_s = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()


def request_head(endpoint: Endpoint, path: str, headers: Sequence[tuple[str, str]], method: str = "POST") -> bytes:
    """The constant part of a request's head; `Content-Length` and other variable headers are appended per request.

    Raises `UserError` for a header value that cannot be sent, such as an API key that contains a line break.
    """
    lines = [
        f"{method} {endpoint.target(path)} HTTP/1.1",
        f"Host: {endpoint.authority}",
        "Content-Type: application/json",
    ]
    for name, value in headers:
        problem = header_problem(value)
        if problem:
            raise UserError(f"the value of header {name} cannot be sent: it {problem}")
        lines.append(f"{name}: {value}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n"
