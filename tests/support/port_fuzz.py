"""Raw requests against a real port: a server in a thread of its own, requests built by hypothesis, what must hold."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import uvloop
from hypothesis import strategies as st

from reports.shared.control_port import TOKEN_HEADER
from reports.shared.port_limits import PortLimits

__all__ = ["FUZZ_LIMITS", "TOKEN", "LoopThread", "check_answer", "exchange", "faults_logged", "json_values", "requests"]

TOKEN = "the-token-of-this-run"
FUZZ_LIMITS = PortLimits(request_s=0.2, idle_s=0.2, sweep_s=0.05)
ANSWER_BYTES = 2000

T = TypeVar("T")


class LoopThread:
    """An event loop of the processes (uvloop) in a thread of its own, for a server called with blocking sockets."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there. Returns its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function there. Returns its result."""

        async def work() -> T:
            return function()

        return self.run(work())


@contextmanager
def faults_logged() -> Iterator[list[str]]:
    """What aiohttp and asyncio log meanwhile as a warning or worse, tracebacks included."""
    texts: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(self.format(record))

    keep = Keep(logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    for logger in loggers:
        logger.addHandler(keep)
    try:
        yield texts
    finally:
        for logger in loggers:
            logger.removeHandler(keep)


def exchange(port: int, request: bytes, within_s: float = 10.0) -> bytes:
    """Send bytes, and return all that comes back until the port closes. TimeoutError: it holds the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=within_s) as peer:
        with suppress(ConnectionError):
            peer.sendall(request)
        with suppress(ConnectionError):
            while part := peer.recv(65536):
                answer += part
    return answer


def check_answer(answer: bytes) -> list[int]:
    """The final status codes in an answer: each 2xx or 4xx, and short. None: the connection was dropped."""
    statuses = [int(status) for status in re.findall(rb"HTTP/\d\.\d (\d{3}) ", answer)]
    final = [status for status in statuses if status != 100]
    assert all(200 <= status < 300 or 400 <= status < 500 for status in final), answer
    assert b"Traceback" not in answer
    assert len(answer) <= ANSWER_BYTES * max(1, len(final)), answer[:ANSWER_BYTES]
    return final


_NUMBERS = st.one_of(
    st.integers(-2, 10),
    st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**64), 10**400, 1e308, -1e308, 5e-324, float("nan"), float("inf")]),
    st.floats(),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=5,
)
_SEGMENTS = st.one_of(
    st.sampled_from(
        ["..", "%2e%2e", "%2F..%2f", "%00", "%ff", "%zz", "f1", "renew", "//", "?a=b", "#x", "é", "a" * 200]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n "), max_size=8),
)
_HEADERS = st.sampled_from(
    [
        b"Content-Encoding: gzip",
        b"Content-Encoding: deflate",
        b"Content-Encoding: br, gzip",
        b"Content-Encoding: zstd",
        b"Content-Type: text/plain",
        b"Content-Type: application/json; charset=\xff",
        b"Content-Type: ;;;",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length: 1e3",
        b"Expect: 100-continue",
        b"Expect: a wonder",
        b"Upgrade: websocket\r\nConnection: upgrade",
        b"Origin: http://localhost",
        b"Host: evil.example",
        b"Host: 127.0.0.1",
        TOKEN_HEADER.encode() + b": wrong",
        b"Cookie: a=" + b"b" * 5000,
        b"X-Long: " + b"y" * 4000,
        b"no colon here",
        b": no name",
        b" folded",
        b"X-Bytes: \x80\xff",
        b"X-Null: a\x00b",
        b"Range: bytes=0-",
        b"If-Modified-Since: never",
        b"\r\n",
    ]
)
_METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "BREW",
    "\x16\x03\x01",
]


@st.composite
def requests(
    draw: st.DrawFn, paths: list[tuple[str, str]], bodies: st.SearchStrategy[object], media_type: str
) -> tuple[bytes, bool]:
    """A request, and whether it has the token, and no header that revokes it.

    `paths`: methods and paths of the port. Most requests differ from a valid one in one or two places.
    """
    method, path = draw(st.sampled_from(paths))
    strange = draw(
        st.sets(st.sampled_from(["method", "path", "header", "body", "token", "length", "version"]), max_size=2)
    )
    if "method" in strange:
        method = draw(st.sampled_from(_METHODS))
    if "path" in strange:
        path = draw(st.sampled_from(["", "/", path + "/", path])) + draw(_SEGMENTS)
    body = _encoded(draw(bodies))
    if "body" in strange:
        cut = draw(st.integers(0, len(body)))
        body = draw(
            st.sampled_from([body[:cut], b"[" * 50_000, b"\xff\xfe", b"", body + b"\x00", b"NaN", b"\x0a\xff" * 9])
        )
    headers = [
        b"Host: localhost",
        b"Connection: close",
        b"Content-Type: " + media_type.encode(),
        TOKEN_HEADER.encode() + b": " + (draw(st.binary(max_size=20)) if "token" in strange else TOKEN.encode()),
    ]
    length = len(body)
    if "length" in strange:
        length = draw(st.sampled_from([max(0, length - 1), length + 1, 2**31, 0]))
    headers.append(b"Content-Length: %d" % length)
    if "header" in strange:
        headers.insert(draw(st.integers(0, len(headers))), draw(_HEADERS))
    version = (
        draw(st.sampled_from([b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"", b"SIP/2.0"]))
        if "version" in strange
        else b"HTTP/1.1"
    )
    head = b"%b %b %b\r\n%b\r\n\r\n" % (
        method.encode(),
        path.encode(errors="replace"),
        version,
        b"\r\n".join(headers),
    )
    return head + body, "token" not in strange


def _encoded(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()
