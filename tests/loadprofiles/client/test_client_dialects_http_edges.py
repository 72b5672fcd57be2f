"""Dialects of HTTP at its edges: folded headers, spacing, two framings, interim responses, connections that are kept.

`why` names the standard, and after "SDK:" what the HTTP client inside both vendors' SDKs was seen to do.
"""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from reports.shared.attributes import Outcome
from tests.support.dialects import anthropic
from tests.support.dialects.case import Close, Dialect, Step
from tests.support.dialects.http import LAST_CHUNK, chunk, chunked, head, response
from tests.support.dialects.openai import END, STOP, TEXT, stream, words
from tests.support.dialects.play import call_of, play, problems, script
from tests.support.scripted_server import ScriptedServer

GOOD = words() + END
CHUNKED = "Transfer-Encoding: chunked"
STREAM = "text/event-stream"


def raw(name: str, why: str, *steps: Step, **expected: Any) -> Dialect:
    """A case with exact bytes."""
    if expected.get("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(steps,), **expected)


def with_head(name: str, why: str, *headers: str, **expected: Any) -> Dialect:
    """A good stream in chunks, with these headers before the usual one."""
    return raw(name, why, head("200 OK", *headers, CHUNKED), chunk(GOOD), LAST_CHUNK, **expected)


def with_length(name: str, why: str, header: str, **expected: Any) -> Dialect:
    """A good stream with a Content-Length in this form; `N` stands for the number."""
    return raw(name, why, head("200 OK", header.replace("N", str(len(GOOD)))), GOOD, Close.FIN, **expected)


HEADERS = [
    with_head("folded-header", "RFC 9112, 5.2: a client reads the fold as spaces; SDK: ok", "X-Note: one\r\n two"),
    with_head("folded-header-with-tab", "the same; SDK: ok", "X-Note: one\r\n\ttwo\r\n  three"),
    with_head("no-space-after-the-colon", "RFC 9112, 5: the space is optional; SDK: ok", "X-Note:one"),
    with_head("many-spaces-after-the-colon", "RFC 9112, 5: optional white space; SDK: ok", "X-Note: \t  one \t "),
    with_head("empty-header-value", "RFC 9110, 5.5: a value may be empty; SDK: ok", "X-Note:", "X-Other: "),
    with_head("header-value-in-latin-1", "RFC 9110, 5.5: opaque bytes; SDK: ok", "X-Note: d\xe9j\xe0 vu"),
    with_head("many-headers", "no limit in the standard; SDK: ok", *(f"X-{n}: {n}" for n in range(90))),
    with_head("header-of-60-kb", "SDK: ok, up to 100 KB", "X-Policy: " + "p" * 60_000),
    with_head(
        "upgrade-offered", "RFC 9110, 7.8: an offer changes nothing; SDK: ok", "Upgrade: h2c", "Connection: Upgrade"
    ),
    with_head("keep-alive-header", "hints; SDK: ok", "Connection: keep-alive", "Keep-Alive: timeout=5, max=99"),
    with_head("alternative-service", "hints; SDK: ok", 'Alt-Svc: h3=":443"', "Via: 1.1 edge", "Server-Timing: a;dur=1"),
    with_head("empty-encoding", "RFC 9110, 8.4: no coding is named; SDK: ok", "Content-Encoding:"),
    with_head("identity-twice", "no coding; SDK: ok", "Content-Encoding: identity, identity"),
    with_head("charset-as-encoding", "no compression, the body is plain; SDK: ok", "Content-Encoding: utf-8"),
    with_head("none-as-encoding", "no compression, the body is plain; SDK: ok", "Content-Encoding: none"),
    raw(
        "content-type-with-parameters",
        "RFC 9110, 8.3; SDK: ok",
        head("200 OK", CHUNKED, kind='Text/Event-Stream ; Charset="UTF-8"'),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "json-content-type-with-a-stream",
        "the body says what it is; SDK: ok",
        head("200 OK", CHUNKED, kind="application/json"),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "header-names-in-upper-case",
        "RFC 9110, 5.1: names have no case; SDK: ok",
        b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: CHUNKED\r\nCONTENT-TYPE: TEXT/EVENT-STREAM\r\n\r\n",
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "reason-in-utf-8",
        "RFC 9112, 4: the phrase has no meaning; SDK: ok",
        "HTTP/1.1 200 Très bien\r\nTransfer-Encoding: chunked\r\n\r\n".encode(),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "reason-of-several-words",
        "the same; SDK: ok",
        head("200 OK (served by node 7: cached)", CHUNKED),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "status-line-ends-after-the-code",
        "RFC 9112, 4: the space stands also before an empty phrase; SDK: ok",
        b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "line-feeds-in-the-head",
        "RFC 9112, 2.2: a recipient may take LF for CRLF; SDK: ok",
        head("200 OK", CHUNKED).replace(b"\r\n", b"\n"),
        chunk(GOOD),
        LAST_CHUNK,
    ),
]

LENGTHS = [
    with_length(
        "length-twice",
        "RFC 9110, 8.6: the same value may be taken once; SDK: ok",
        "Content-Length: N\r\nContent-Length: N",
    ),
    with_length("length-in-a-list", "RFC 9110, 8.6: the same value may be taken once; SDK: ok", "Content-Length: N, N"),
    with_length("length-with-spaces", "RFC 9112, 5: optional white space; SDK: ok", "Content-Length: \t N  "),
    with_length("length-with-zeros", "RFC 9110, 8.6: decimal digits; SDK: ok", "Content-Length: 000N"),
    with_length(
        "lengths-in-a-list-differ",
        "RFC 9112, 6.3: an unrecoverable error; SDK: raises",
        "Content-Length: N, 5",
        outcome=Outcome.CORRUPT,
        status=None,
    ),
    with_length(
        "length-is-no-number",
        "RFC 9112, 6.3: an unrecoverable error; SDK: raises",
        "Content-Length: many",
        outcome=Outcome.CORRUPT,
        status=None,
    ),
    with_length(
        "length-negative",
        "RFC 9112, 6.3: an unrecoverable error; SDK: raises",
        "Content-Length: -5",
        outcome=Outcome.CORRUPT,
        status=None,
    ),
    raw(
        "length-and-chunks",
        "RFC 9112, 6.3: Transfer-Encoding overrides Content-Length; SDK: ok",
        head("200 OK", CHUNKED, length=7),
        chunk(GOOD),
        LAST_CHUNK,
    ),
    raw(
        "length-of-zero",
        "an empty body has no finish reason; SDK: no finish reason",
        head("200 OK", length=0),
        outcome=Outcome.TRUNCATED,
    ),
]

CHUNKS = [
    raw(
        "spaces-after-the-chunk-size",
        "RFC 9112, 7.1: not allowed, and our parser refuses it; SDK: ok",
        head("200 OK", CHUNKED),
        b"%-8x\r\n%b\r\n" % (len(GOOD), GOOD),
        LAST_CHUNK,
        outcome=Outcome.CORRUPT,
    ),
    raw(
        "spaces-before-a-chunk-extension",
        "RFC 9112, 7.1.1: bad white space; our parser refuses it; SDK: raises",
        head("200 OK", CHUNKED),
        chunk(GOOD, b" ; seen = 1"),
        LAST_CHUNK,
        outcome=Outcome.CORRUPT,
    ),
    raw(
        "extension-of-the-last-chunk",
        "RFC 9112, 7.1.1: ignored; SDK: ok",
        head("200 OK", CHUNKED),
        chunk(GOOD, b";flag"),
        b"0;last\r\n\r\n",
    ),
    raw(
        "several-trailers",
        "RFC 9112, 7.1.2: fields after the last chunk; SDK: ok",
        head("200 OK", CHUNKED),
        chunk(GOOD),
        b"0\r\nx-cost: 7\r\nx-checksum: YWJj\r\nServer-Timing: gen;dur=12\r\n\r\n",
    ),
    raw(
        "closed-in-the-trailers",
        "RFC 9112, 8: incomplete; SDK: stops at [DONE]",
        head("200 OK", CHUNKED),
        chunk(GOOD),
        b"0\r\nx-cost: 7\r\n",
        Close.FIN,
        outcome=Outcome.TRUNCATED,
    ),
    raw(
        "chunk-size-in-pieces",
        "reads have no meaning; SDK: ok",
        head("200 OK", CHUNKED),
        *(step for byte in b"%x\r\n" % len(GOOD) for step in (bytes([byte]), 0.002)),
        GOOD,
        b"\r",
        0.002,
        b"\n0\r",
        0.002,
        b"\n\r\n",
    ),
    raw(
        "chunk-longer-than-its-size",
        "RFC 9112, 7.1: not a chunk; SDK: raises",
        head("200 OK", CHUNKED),
        b"%x\r\n%b\r\n" % (len(words()) - 3, words()),
        LAST_CHUNK,
        Close.FIN,
        outcome=Outcome.CORRUPT,
        says="not HTTP",
    ),
    raw(
        "closed-after-the-chunk-size",
        "RFC 9112, 8: incomplete; SDK: raises",
        head("200 OK", CHUNKED),
        chunk(words()),
        b"1f4",
        Close.FIN,
        outcome=Outcome.TRUNCATED,
        says="closed",
    ),
]

INTERIM = [
    raw(
        "interim-responses-of-many-kinds",
        "RFC 9110, 15.2: a client ignores 1xx that it does not know; SDK: ok",
        b"".join(b"HTTP/1.1 %d X\r\nX-Step: 1\r\n\r\n" % code for code in (100, 102, 103, 103, 110, 199)),
        *chunked([GOOD]),
    ),
    raw(
        "interim-response-in-one-read-with-the-answer",
        "reads have no meaning; SDK: ok",
        b"HTTP/1.1 102 Processing\r\n\r\n" + head("200 OK", CHUNKED) + chunk(GOOD) + LAST_CHUNK,
    ),
    raw(
        "interim-response-before-a-refusal",
        "the last response counts; SDK: raises",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        *response("503 X", b'{"error": "draining"}'),
        outcome=Outcome.HTTP_5XX,
        status=503,
        says="draining",
    ),
    raw(
        "interim-response-and-nothing-more",
        "RFC 9110, 15.2: no final response came; SDK: raises",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        Close.FIN,
        outcome=Outcome.RESET,
        status=None,
    ),
]

OTHERS = [
    *(
        raw(
            f"status-{code}",
            "RFC 9110, 15: any 2xx is a success; SDK: ok",
            *chunked([GOOD], status=f"{code} X"),
            status=code,
        )
        for code in (202, 203, 206, 226, 299)
    ),
    raw(
        "http-1.0-kept",
        "RFC 9112, C.2.2: with a length and keep-alive; SDK: ok",
        head("200 OK", "Connection: keep-alive", kind=STREAM, version="HTTP/1.0", length=len(GOOD)) + GOOD,
    ),
    raw(
        "http-1.1-until-a-reset",
        "RFC 9112, 8: a body until the close is complete only if the connection closes; SDK: stops at [DONE]",
        head(),
        GOOD,
        Close.RST,
        outcome=Outcome.TRUNCATED,
    ),
    raw(
        "until-close-without-finish",
        "complete, but without a finish reason; SDK: no finish reason",
        head(),
        words(),
        Close.FIN,
        outcome=Outcome.TRUNCATED,
        says="finish reason",
    ),
    raw(
        "a-until-close",
        "RFC 9112, 6.3: until the close; SDK: ok",
        head(),
        anthropic.START + anthropic.text_block() + anthropic.END,
        Close.FIN,
        api="anthropic",
        terminals=1,
    ),
    raw(
        "a-cut-after-the-stop-reason",
        "RFC 9112, 8: incomplete; SDK: raises",
        *chunked([anthropic.START, anthropic.text_block(), anthropic.END[: -len(anthropic.STOP)]], end=False),
        Close.FIN,
        api="anthropic",
        outcome=Outcome.TRUNCATED,
        says="closed",
    ),
    raw(
        "a-compressed",
        "the request asked for none",
        *response("200 OK", b"\x1f\x8b\x08\x00", "Content-Encoding: gzip", kind=STREAM),
        api="anthropic",
        outcome=Outcome.CORRUPT,
        says="gzip",
    ),
]


@pytest.mark.parametrize("dialect", [*HEADERS, *LENGTHS, *CHUNKS, *INTERIM, *OTHERS], ids=lambda dialect: dialect.name)
def test_an_edge_of_http_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


IDLE = {
    "says-408-and-closes": b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "sends-a-second-answer": b"".join(step for step in chunked([words("Late."), STOP]) if isinstance(step, bytes)),
    "sends-a-line-end": b"\r\n",
}
"""What servers send on a connection that waits for its next request."""


@pytest.mark.parametrize("name", IDLE)
def test_bytes_on_an_idle_connection_are_no_answer_to_the_next_call(name: str) -> None:
    dialect = stream("next", "", GOOD)
    with ScriptedServer(script((*chunked([GOOD]), 0.02, IDLE[name])), script(dialect.sends[0])) as server:
        client = Client(ClientOptions(server.url, "lab-1", retries="none", timeout_s=3.0))
        context = AgentContext("s-9", "main", None, 7)
        client.call(call_of(dialect), context, now_s())
        idle = client._connections._idle
        with gevent.Timeout(5):
            while idle and idle[0].alive():  # until the bytes have arrived
                gevent.sleep(0.001)
        record = client.call(call_of(dialect), context, now_s())
        client.close()
    assert problems(dialect, record) == []
    assert (server.connections, len(server.requests)) == (2, 2)
