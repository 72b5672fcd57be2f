"""Dialects of HTTP: framing, headers, encodings, bodies that are no stream, whole bodies, redirects."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from reports.shared.attributes import Outcome
from tests.support.dialects import anthropic
from tests.support.dialects.case import Close, Dialect, Step
from tests.support.dialects.http import LAST_CHUNK, chunk, chunked, head, response
from tests.support.dialects.openai import DONE, END, STOP, TEXT, USAGE, completion, event, stream, whole, words
from tests.support.dialects.play import call_of, play, problems, script
from tests.support.scripted_server import ScriptedServer

TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT
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
    raw("content-length-too-long", "RFC 9112: incomplete", head(kind=STREAM, length=len(GOOD) + 9), GOOD, Close.FIN, outcome=TRUNCATED, says="closed"),
    raw("content-length-too-short", "RFC 9112: the body ends there", head(kind=STREAM, length=len(words()) + 5), GOOD, outcome=TRUNCATED),
    raw("content-length-short-by-the-last-newline", "what is needed is there", head(kind=STREAM, length=len(GOOD) - 1), GOOD, terminals=1),
    raw("content-length-short-in-two-reads", "the rest belongs to no message", head(kind=STREAM, length=len(GOOD) - 1), GOOD[:-1], 0.01, b"\n", terminals=1),
    raw("content-length-twice", "RFC 9110, 8.6: may be refused, and the parser does", head("200 OK", f"Content-Length: {len(GOOD)}", kind=STREAM, length=len(GOOD)), GOOD, Close.FIN, outcome=CORRUPT, status=None),
    raw("content-lengths-differ", "RFC 9112: an unrecoverable error", head("200 OK", "Content-Length: 5", kind=STREAM, length=len(GOOD)), GOOD, Close.FIN, outcome=CORRUPT, status=None),
    raw("chunk-extensions", "RFC 9112: ignored", head("200 OK", CHUNKED), chunk(GOOD, b";ext=1;q=\"a b\""), LAST_CHUNK, tokens=8),
    raw("chunk-sizes-in-upper-case", "", head("200 OK", CHUNKED), b"%X\r\n%b\r\n" % (len(GOOD), GOOD), LAST_CHUNK),
    raw("chunk-sizes-with-zeros", "", head("200 OK", CHUNKED), b"0000%x\r\n%b\r\n" % (len(GOOD), GOOD), b"000\r\n\r\n"),
    raw("chunk-size-wrong", "not a chunk", head("200 OK", CHUNKED), b"zz\r\n" + GOOD, Close.FIN, outcome=CORRUPT, says="not HTTP"),
    raw("chunks-of-one-byte", "reads and chunks have no meaning", head("200 OK", CHUNKED), b"".join(chunk(bytes([byte])) for byte in GOOD), LAST_CHUNK, tokens=8),
    raw("trailers", "RFC 9112: fields after the last chunk", head("200 OK", CHUNKED, "Trailer: x-cost"), chunk(GOOD), b"0\r\nx-cost: 7\r\n\r\n", tokens=8),
    raw("one-read", "everything at once", b"".join(step for step in chunked([GOOD]) if isinstance(step, bytes)), tokens=8),
    raw("head-in-pieces", "reads have no meaning", *(step for line in head("200 OK", CHUNKED).splitlines(keepends=True) for step in (line, 0.002)), chunk(GOOD), LAST_CHUNK),
    raw("until-close", "RFC 9112: no length, so until the close", head(), GOOD, Close.FIN, terminals=1),
    raw("connection-close", "", head("200 OK", CHUNKED, "Connection: close"), chunk(GOOD), LAST_CHUNK, Close.FIN, terminals=1),
    raw("http-1.0-with-length", "", head(kind=STREAM, version="HTTP/1.0", length=len(GOOD)), GOOD, Close.FIN),
    raw("header-names-in-lower-case", "names have no case", head("200 OK", CHUNKED).lower().replace(b"http/1.1 200 ok", b"HTTP/1.1 200 OK"), chunk(GOOD), LAST_CHUNK),
    raw("no-content-type", "", head("200 OK", CHUNKED, kind=None), chunk(GOOD), LAST_CHUNK),
    raw("other-content-type", "the body says what it is", head("200 OK", CHUNKED, kind="text/plain"), chunk(GOOD), LAST_CHUNK),
    raw("no-reason", "RFC 9112: the phrase may be missing", b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(GOOD), LAST_CHUNK),
    raw("long-headers", "", head("200 OK", CHUNKED, "X-Trace: " + "t" * 6000), chunk(GOOD), LAST_CHUNK),
    raw("repeated-headers", "", head("200 OK", CHUNKED, "Set-Cookie: a=1", "Set-Cookie: b=2"), chunk(GOOD), LAST_CHUNK),
    raw("interim-responses", "RFC 9110: 1xx come before the response", b"HTTP/1.1 100 Continue\r\n\r\n", 0.005, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0.005, *chunked([GOOD]), tokens=8),
    raw("status-201", "any 2xx", *chunked([GOOD], status="201 Created"), status=201),
    raw("identity-encoding", "no encoding", head("200 OK", CHUNKED, "Content-Encoding: identity"), chunk(GOOD), LAST_CHUNK),
    raw("not-http", "garbage", b"SSH-2.0-OpenSSH_9.6\r\n", Close.FIN, outcome=CORRUPT, status=None, says="not HTTP"),
    raw("no-response", "closed before it", Close.FIN, outcome=Outcome.RESET, status=None),
    raw("reset-before-the-response", "", Close.RST, outcome=Outcome.RESET, status=None),
    raw("reset-in-the-headers", "", b"HTTP/1.1 200 OK\r\nContent-", Close.RST, outcome=Outcome.RESET, status=None),
    raw("closed-after-the-headers", "no body", head("200 OK", CHUNKED), Close.FIN, outcome=TRUNCATED, says="closed"),
]  # fmt: skip

ENCODED = [
    raw(f"compressed-with-{name}", "the request asked for none", *response("200 OK", data, f"Content-Encoding: {name}", kind=STREAM), outcome=CORRUPT, says=name)
    for name, data in (("gzip", gzip.compress(GOOD)), ("deflate", zlib.compress(GOOD)), ("br", b"\x1b\x00\x01"), ("GZIP", gzip.compress(GOOD)))
]  # fmt: skip
ENCODED[3] = raw("compressed-in-upper-case", "names have no case", *ENCODED[3].sends[0], outcome=CORRUPT, says="gzip")

PAGE = b"<!doctype html>\n<html>\n<head><title>Log in</title>\n<style>\n:root { color: red }\n</style></head>\n\n<body>\n\n<p>Your session has ended.</p>\n\n</body></html>"
OTHER_BODIES = [
    raw("json-for-a-stream", "the target does not stream", *response("200 OK", json.dumps(completion()).encode()), outcome=CORRUPT, says="does not stream"),
    raw("json-with-blank-lines", "", *response("200 OK", json.dumps(completion(), indent=1).replace("\n", "\n\n").encode()), outcome=CORRUPT, says="does not stream"),
    raw("json-with-crlf", "", *response("200 OK", json.dumps(completion(), indent=1).replace("\n", "\r\n\r\n").encode()), outcome=CORRUPT, says="does not stream"),
    raw("error-for-a-stream", "an error with a good status", *response("200 OK", b'{"error": {"message": "all busy", "code": 503}}'), outcome=ERROR, says="all busy"),
    raw("error-text-for-a-stream", "", *response("200 OK", b'{"error": "all busy"}'), outcome=ERROR, says="all busy"),
    raw("error-with-blank-lines", "", *response("200 OK", b'\n\n{\n\n"error": {\n\n"message": "all busy"}}\n\n'), outcome=ERROR, says="all busy"),
    raw("error-with-a-byte-order-mark", "", *response("200 OK", b'\xef\xbb\xbf{"error": "all busy"}'), outcome=ERROR, says="all busy"),
    raw("detail-for-a-stream", "no completion", *response("200 OK", b'{"detail": "model is loading"}'), outcome=CORRUPT, says="model is loading"),
    raw("page-for-a-stream", "no stream", *response("200 OK", PAGE, kind="text/html"), outcome=CORRUPT, says="Log in"),
    raw("page-with-a-style-in-one-block", "a line of a page may begin with a colon", *response("200 OK", PAGE.replace(b"\n\n", b"\n"), kind="text/html"), outcome=CORRUPT, says="session has ended"),
    raw("text-for-a-stream", "no stream", *response("200 OK", b"upstream connect error", kind="text/plain"), outcome=CORRUPT, says="upstream connect error (text/plain)"),
    raw("lines-of-json-for-a-stream", "no stream", *response("200 OK", b'{"response": "a"}\n{"response": "b", "done": true}\n', kind="application/x-ndjson"), outcome=CORRUPT, says="ndjson"),
    raw("nothing-for-a-stream", "no finish reason", *response("200 OK", b"", kind=STREAM), outcome=TRUNCATED, text=""),
    raw("blank-lines-for-a-stream", "no finish reason", *response("200 OK", b"\n\n\r\n", kind=STREAM), outcome=TRUNCATED),
    raw("comments-for-a-stream", "no finish reason", *response("200 OK", b": busy\n\n: busy\n\n", kind=STREAM), outcome=TRUNCATED),
    raw("no-content", "RFC 9110: 204 has no body", head("204 No Content", kind=None), outcome=TRUNCATED, status=204),
    raw("binary-for-a-stream", "no stream", *response("200 OK", bytes(range(256)) * 8, kind="application/octet-stream"), outcome=CORRUPT, says="octet-stream"),
    raw("a-json-for-a-stream", "the target does not stream", *response("200 OK", json.dumps(anthropic.message()).encode()), api="anthropic", outcome=CORRUPT, says="does not stream"),
    raw("a-page-for-a-stream", "no stream", *response("200 OK", PAGE, kind="text/html"), api="anthropic", outcome=CORRUPT, says="Log in"),
    raw("a-nothing-for-a-stream", "no stop reason", *response("200 OK", b"", kind=STREAM), api="anthropic", outcome=TRUNCATED),
]  # fmt: skip

WHOLE = [
    whole("whole", "the usual form", completion(), tokens=8, terminals=1, pieces=1),
    whole("whole-delta-for-message", "", completion(choice={"message": None, "delta": {"content": TEXT}})),
    whole("whole-content-parts", "", completion({"content": [{"type": "text", "text": TEXT}]})),
    whole("whole-text", "the older API's field", completion(choice={"message": None, "text": TEXT})),
    whole("whole-content-null", "an empty answer", completion({"content": None}), text="", pieces=0),
    whole("whole-refusal", "", completion({"content": None, "refusal": "No."}), text="No."),
    whole("whole-reasoning-only", "", completion({"content": None, "reasoning": "Hm"}, "length"), text="", pieces=1),
    whole("whole-finish-null", "cut", completion(finish=None), outcome=TRUNCATED, says="finish reason"),
    whole("whole-finish-empty", "cut", completion(finish=""), outcome=TRUNCATED, says="finish reason"),
    whole("whole-finish-error", "the server gave up", completion(finish="error"), outcome=ERROR, says='"error"'),
    whole("whole-usage-null", "estimated", completion(usage=None), estimated=True),
    whole("whole-usage-fractions", "", completion(usage={"completion_tokens": 8.0}), tokens=8),
    whole("whole-index-from-one", "the only choice", completion(choice={"index": 1})),
    whole("whole-two-choices", "further ones were not asked for", completion(choices=[{"index": 1, "message": {"content": "B"}, "finish_reason": "stop"}, completion()["choices"][0]])),
    whole("whole-choices-empty", "no answer", completion(choices=[]), outcome=CORRUPT, says="no choices"),
    whole("whole-choices-null", "no answer", completion(choices=None), outcome=CORRUPT, says="no choices"),
    whole("whole-error", "an error with a good status", {"error": {"message": "all busy"}}, outcome=ERROR, says="all busy"),
    whole("whole-error-null", "no error", completion(error=None), tokens=8),
    whole("whole-detail", "no answer", {"detail": "model is loading"}, outcome=CORRUPT, says="model is loading"),
    whole("whole-null", "no object", b"null", outcome=CORRUPT),
    whole("whole-list", "no object", b"[1, 2]", outcome=CORRUPT),
    whole("whole-text-body", "no JSON", b"upstream connect error", outcome=CORRUPT, says="upstream connect error"),
    whole("whole-page", "no JSON", PAGE, outcome=CORRUPT, says="Log in"),
    whole("whole-nothing", "no JSON", b"", outcome=CORRUPT, says="empty"),
    whole("whole-cut-json", "no JSON", json.dumps(completion()).encode()[:-30], outcome=CORRUPT),
    whole("whole-byte-order-mark", "the SDK's decoder skips it", b"\xef\xbb\xbf" + json.dumps(completion()).encode(), tokens=8),
    whole("whole-blanks-around", "JSON allows them", b"\n\n  " + json.dumps(completion()).encode() + b"\r\n", tokens=8),
    whole("whole-stream", "the request asked for one body", GOOD, outcome=CORRUPT),
    raw("whole-in-chunks", "", *chunked([json.dumps(completion()).encode()]), stream=False, tokens=8),
    raw("whole-closed", "incomplete", head(length=900, kind="application/json"), json.dumps(completion()).encode()[:40], Close.FIN, stream=False, outcome=TRUNCATED, says="closed"),
    raw("whole-no-content", "no body", head("204 No Content", kind=None), stream=False, outcome=CORRUPT, status=204),
]  # fmt: skip

REDIRECTS = [
    raw(f"redirect-{status}", "a load must not leave its target", *response(f"{status} X", b"", "Location: /elsewhere"), outcome=Outcome.HTTP_4XX, status=status, says="/elsewhere")
    for status in (301, 302, 303, 307, 308)
] + [
    raw("redirect-without-location", "", *response("302 Found", b""), outcome=Outcome.HTTP_4XX, status=302, says="302"),
    raw("redirect-with-words", "the body's own", *response("300 Multiple Choices", b'{"error": "pick a region"}'), outcome=Outcome.HTTP_4XX, status=300, says="pick a region"),
    raw("not-modified", "RFC 9110: 304 has no body", head("304 Not Modified", kind=None), outcome=Outcome.HTTP_4XX, status=304, says="304"),
    raw("redirect-with-a-password", "never repeated", *response("302 Found", b"", "Location: http://me:pa55word-x@host/"), outcome=Outcome.HTTP_4XX, status=302, says="***@host"),
]  # fmt: skip


@pytest.mark.parametrize(
    "dialect", [*FRAMING, *ENCODED, *OTHER_BODIES, *WHOLE, *REDIRECTS], ids=lambda dialect: dialect.name
)
def test_a_dialect_of_http_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


REUSED = {
    "kept": (chunked([GOOD]), 1),
    "connection-close": ((*chunked([GOOD], "Connection: close"), Close.FIN), 2),
    "closed-after-the-answer": ((*chunked([GOOD]), Close.FIN), 2),
    "bytes-after-the-body": ((head(kind=STREAM, length=len(GOOD)) + GOOD + b"and more",), 2),
    "http-1.0": ((head(kind=STREAM, version="HTTP/1.0", length=len(GOOD)) + GOOD, Close.FIN), 2),
    "page-for-a-stream": (response("200 OK", PAGE, kind="text/html"), 1),
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
