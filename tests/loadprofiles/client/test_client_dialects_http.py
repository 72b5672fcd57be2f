"""Dialects of HTTP: framing, headers, encodings, redirects, and connections that are used again."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import gevent
import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from reports.shared.attributes import Outcome
from tests.support.dialects.case import Close, Dialect, Step
from tests.support.dialects.http import LAST_CHUNK, chunk, chunked, head, response
from tests.support.dialects.openai import DONE, END, STOP, TEXT, USAGE, event, stream, words
from tests.support.dialects.play import call_of, play, problems, script
from tests.support.scripted_server import ScriptedServer

TRUNCATED, CORRUPT = Outcome.TRUNCATED, Outcome.CORRUPT

GOOD = words() + END

CHUNKED = "Transfer-Encoding: chunked"

STREAM = "text/event-stream"


def raw(name: str, why: str, *steps: Step, **expected: Any) -> Dialect:
    """A case with exact bytes."""
    if expected.get("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(steps,), **expected)


FRAMING = [
    raw("content-length", "a stream may have one", *response("200 OK", GOOD, kind=STREAM), tokens=8),
    raw(
        "content-length-too-long",
        "RFC 9112: incomplete",
        head(kind=STREAM, length=len(GOOD) + 9),
        GOOD,
        Close.FIN,
        outcome=TRUNCATED,
        says="closed",
    ),
    raw(
        "content-length-too-short",
        "RFC 9112: the body ends there",
        head(kind=STREAM, length=len(words()) + 5),
        GOOD,
        outcome=TRUNCATED,
    ),
    raw(
        "content-length-short-by-the-last-newline",
        "what is needed is there",
        head(kind=STREAM, length=len(GOOD) - 1),
        GOOD,
        terminals=1,
    ),
    raw(
        "content-length-short-in-two-reads",
        "the rest belongs to no message",
        head(kind=STREAM, length=len(GOOD) - 1),
        GOOD[:-1],
        0.01,
        b"\n",
        terminals=1,
    ),
    raw(
        "content-length-twice",
        "RFC 9110, 8.6: equal lengths may be taken for one; SDK: ok",
        head("200 OK", f"Content-Length: {len(GOOD)}", kind=STREAM, length=len(GOOD)),
        GOOD,
        Close.FIN,
    ),
    raw(
        "content-lengths-differ",
        "RFC 9112: an unrecoverable error",
        head("200 OK", "Content-Length: 5", kind=STREAM, length=len(GOOD)),
        GOOD,
        Close.FIN,
        outcome=CORRUPT,
        status=None,
    ),
    raw(
        "chunk-extensions",
        "RFC 9112: ignored",
        head("200 OK", CHUNKED),
        chunk(GOOD, b';ext=1;q="a b"'),
        LAST_CHUNK,
        tokens=8,
    ),
    raw("chunk-sizes-in-upper-case", "", head("200 OK", CHUNKED), b"%X\r\n%b\r\n" % (len(GOOD), GOOD), LAST_CHUNK),
    raw("chunk-sizes-with-zeros", "", head("200 OK", CHUNKED), b"0000%x\r\n%b\r\n" % (len(GOOD), GOOD), b"000\r\n\r\n"),
    raw(
        "chunk-size-wrong",
        "not a chunk",
        head("200 OK", CHUNKED),
        b"zz\r\n" + GOOD,
        Close.FIN,
        outcome=CORRUPT,
        says="not HTTP",
    ),
    raw(
        "chunks-of-one-byte",
        "reads and chunks have no meaning",
        head("200 OK", CHUNKED),
        b"".join(chunk(bytes([byte])) for byte in GOOD),
        LAST_CHUNK,
        tokens=8,
    ),
    raw(
        "trailers",
        "RFC 9112: fields after the last chunk",
        head("200 OK", CHUNKED, "Trailer: x-cost"),
        chunk(GOOD),
        b"0\r\nx-cost: 7\r\n\r\n",
        tokens=8,
    ),
    raw(
        "one-read",
        "everything at once",
        b"".join(step for step in chunked([GOOD]) if isinstance(step, bytes)),
        tokens=8,
    ),
    raw(
        "head-in-pieces",
        "reads have no meaning",
        *(step for line in head("200 OK", CHUNKED).splitlines(keepends=True) for step in (line, 0.002)),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw("until-close", "RFC 9112: no length, so until the close", head(), GOOD, Close.FIN, terminals=1),
    raw(
        "connection-close",
        "",
        head("200 OK", CHUNKED, "Connection: close"),
        chunk(GOOD),
        LAST_CHUNK,
        Close.FIN,
        terminals=1,
    ),
    raw("http-1.0-with-length", "", head(kind=STREAM, version="HTTP/1.0", length=len(GOOD)), GOOD, Close.FIN),
    raw(
        "header-names-in-lower-case",
        "names have no case",
        head("200 OK", CHUNKED).lower().replace(b"http/1.1 200 ok", b"HTTP/1.1 200 OK"),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw("no-content-type", "", head("200 OK", CHUNKED, kind=None), chunk(GOOD), LAST_CHUNK),
    raw(
        "other-content-type",
        "the body says what it is",
        head("200 OK", CHUNKED, kind="text/plain"),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "no-reason",
        "RFC 9112: the phrase may be missing",
        b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw("long-headers", "", head("200 OK", CHUNKED, "X-Trace: " + "t" * 6000), chunk(GOOD), LAST_CHUNK),
    raw("repeated-headers", "", head("200 OK", CHUNKED, "Set-Cookie: a=1", "Set-Cookie: b=2"), chunk(GOOD), LAST_CHUNK),
    raw(
        "interim-responses",
        "RFC 9110: 1xx come before the response",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        0.005,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        0.005,
        *chunked([GOOD]),
        tokens=8,
    ),
    raw("status-201", "any 2xx", *chunked([GOOD], status="201 Created"), status=201),
    raw(
        "identity-encoding",
        "no encoding",
        head("200 OK", CHUNKED, "Content-Encoding: identity"),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw("not-http", "garbage", b"SSH-2.0-OpenSSH_9.6\r\n", Close.FIN, outcome=CORRUPT, status=None, says="not HTTP"),
    raw("no-response", "closed before it", Close.FIN, outcome=Outcome.RESET, status=None),
    raw("reset-before-the-response", "", Close.RST, outcome=Outcome.RESET, status=None),
    raw("reset-in-the-headers", "", b"HTTP/1.1 200 OK\r\nContent-", Close.RST, outcome=Outcome.RESET, status=None),
    raw("closed-after-the-headers", "no body", head("200 OK", CHUNKED), Close.FIN, outcome=TRUNCATED, says="closed"),
]

ENCODED = [
    raw(
        f"compressed-with-{name}",
        "the request asked for none",
        *response("200 OK", data, f"Content-Encoding: {name}", kind=STREAM),
        outcome=CORRUPT,
        says=name,
    )
    for name, data in (
        ("gzip", gzip.compress(GOOD)),
        ("deflate", zlib.compress(GOOD)),
        ("br", b"\x1b\x00\x01"),
        ("GZIP", gzip.compress(GOOD)),
    )
]

ENCODED[3] = raw("compressed-in-upper-case", "names have no case", *ENCODED[3].sends[0], outcome=CORRUPT, says="gzip")

REDIRECTS = [
    raw(
        f"redirect-{status}",
        "a load must not leave its target",
        *response(f"{status} X", b"", "Location: /elsewhere"),
        outcome=Outcome.HTTP_4XX,
        status=status,
        says="/elsewhere",
    )
    for status in (301, 302, 303, 307, 308)
] + [
    raw("redirect-without-location", "", *response("302 Found", b""), outcome=Outcome.HTTP_4XX, status=302, says="302"),
    raw(
        "redirect-with-words",
        "the body's own",
        *response("300 Multiple Choices", b'{"error": "pick a region"}'),
        outcome=Outcome.HTTP_4XX,
        status=300,
        says="pick a region",
    ),
    raw(
        "not-modified",
        "RFC 9110: 304 has no body",
        head("304 Not Modified", kind=None),
        outcome=Outcome.HTTP_4XX,
        status=304,
        says="304",
    ),
    raw(
        "redirect-with-a-password",
        "never repeated",
        *response("302 Found", b"", "Location: http://me:pa55word-x@host/"),
        outcome=Outcome.HTTP_4XX,
        status=302,
        says="***@host",
    ),
]


@pytest.mark.parametrize("dialect", [*FRAMING, *ENCODED, *REDIRECTS], ids=lambda dialect: dialect.name)
def test_a_dialect_of_http_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


REUSED = {
    "kept": (chunked([GOOD]), 1),
    "connection-close": ((*chunked([GOOD], "Connection: close"), Close.FIN), 2),
    "closed-after-the-answer": ((*chunked([GOOD]), Close.FIN), 2),
    "bytes-after-the-body": ((head(kind=STREAM, length=len(GOOD)) + GOOD + b"and more",), 2),
    "http-1.0": ((head(kind=STREAM, version="HTTP/1.0", length=len(GOOD)) + GOOD, Close.FIN), 2),
    "page-for-a-stream": (response("200 OK", b"<p>Log in", kind="text/html"), 1),
    "not-read-to-its-end": (chunked([event({"error": "x"}), 0.1, GOOD]), 2),
}

"""Responses, and how many connections two calls then need."""


@pytest.mark.parametrize("name", REUSED)
def test_a_connection_is_used_again_only_if_that_is_safe(name: str) -> None:
    steps, connections = REUSED[name]
    dialect = stream("next", "", GOOD)
    with ScriptedServer(script(steps), script(dialect.sends[0])) as server:
        client = Client(ClientOptions(server.url, "lab-1", retries="none", timeout_s=3.0))
        context = AgentContext("s-9", "main", None, 7)
        client.call(call_of(dialect), context, now_s())
        idle = client._connections._idle
        with gevent.Timeout(5):
            while connections > 1 and idle and idle[0].alive():  # until the close has arrived
                gevent.sleep(0.001)
        record = client.call(call_of(dialect), context, now_s())
        client.close()
    assert problems(dialect, record) == []
    assert (server.connections, len(server.requests)) == (connections, 2)


def test_a_connection_that_dies_with_the_request_is_retried_once() -> None:
    dialect = stream("next", "", words(), STOP, DONE, attempts=2)
    with ScriptedServer(script(chunked([GOOD])), script((Close.RST,)), script(dialect.sends[0])) as server:
        client = Client(ClientOptions(server.url, "lab-1", retries="openai-sdk", timeout_s=3.0))
        context = AgentContext("s-9", "main", None, 7)
        first = client.call(call_of(dialect), context, now_s())
        second = client.call(call_of(dialect), context, now_s())
        client.close()
    assert first.answer is not None
    assert first.answer.usage.output_tokens == USAGE["completion_tokens"]
    assert problems(dialect, second) == []
