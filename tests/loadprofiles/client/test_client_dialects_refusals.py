"""Responses that are no answers: what they say in bodies of any shape, and whether they are retried."""

from __future__ import annotations

import email.utils
import gzip
import json
import time
import zlib
from typing import Any

import gevent
import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Close, Dialect
from tests.support.dialects.http import chunked, head, response
from tests.support.dialects.openai import END, TEXT, words
from tests.support.dialects.play import KEY, play, problems

BAD = "400 Bad Request"


def says(name: str, body: Any, text: str, *headers: str, status: str = BAD, **more: Any) -> Dialect:
    """A response with an error status, and a part of the message that the record must have."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    code = int(status[:3])
    outcome = Outcome.RATE_LIMITED if code == 429 else Outcome.HTTP_5XX if code >= 500 else Outcome.HTTP_4XX
    expected: dict[str, Any] = {"outcome": outcome, "status": code, "says": text} | more
    return Dialect(name=name, why="the target's own words", sends=(response(status, data, *headers),), **expected)


NOTHING = "no message in the response"
BODIES = [
    says("openai", {"error": {"message": "bad model", "type": "not_found", "param": None, "code": None}}, "bad model"),
    says(
        "anthropic",
        {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}},
        "Busy",
        api="anthropic",
    ),
    says("error-text", {"error": "bad model"}, "bad model"),
    says("error-null-message", {"error": {"message": None, "type": "quota"}}, "quota"),
    says("error-list", {"error": [{"message": "one"}, {"message": "two"}]}, "one; two"),
    says("errors", {"errors": [{"detail": "one"}, "two"]}, "one; two"),
    says("nested", {"error": {"error": {"error": {"message": "deep"}}}}, "deep"),
    says("message-an-object", {"error": {"message": {"detail": "deep"}}}, "deep"),
    says("message-a-list", {"message": ["one", "two"]}, "one; two"),
    says("detail", {"detail": "Not authenticated"}, "Not authenticated"),
    says(
        "detail-list", {"detail": [{"loc": ["body", "user", 0], "msg": "not permitted"}]}, "body.user.0: not permitted"
    ),
    says("detail-object", {"detail": {"error": "no"}}, "no"),
    says("message", {"message": "limit reached", "request_id": "q"}, "limit reached"),
    says("upper-case-keys", {"Message": "limit reached"}, "limit reached"),
    says("error-in-upper-case", {"Error": {"Code": "X", "Message": "limit reached"}}, "limit reached"),
    says("msg", {"code": 40001, "msg": "limit reached"}, "limit reached"),
    says("error-msg", {"error_code": 17, "error_msg": "limit reached"}, "limit reached"),
    says("fault", {"fault": {"faultstring": "limit reached"}}, "limit reached"),
    says(
        "problem-details",
        {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "no such tenant"},
        "no such tenant",
    ),
    says("unknown-keys", {"outcome": "denied"}, "denied"),
    says("json-text", b'"limit reached"', "limit reached"),
    says("json-list", ["limit reached"], "limit reached"),
    says("json-number", b"17", "17"),
    says("json-null", b"null", NOTHING),
    says("json-empty-object", b"{}", NOTHING),
    says("json-empty-list", b"[]", NOTHING),
    says("json-with-a-byte-order-mark", b'\xef\xbb\xbf{"error": "limit reached"}', "limit reached"),
    says("json-in-utf-16", '{"error": "limit reached"}'.encode("utf-16"), "limit reached"),
    says("json-in-utf-16-without-mark", '{"error": "limit reached"}'.encode("utf-16-le"), "limit reached"),
    says("json-with-nan", b'{"error": {"message": "limit reached", "x": NaN}}', "limit reached"),
    says("json-with-a-lone-surrogate", b'{"error": "limit \\ud800 reached"}', "reached"),
    says("json-cut", b'{"error": {"message": "limit rea', "limit rea"),
    says("json-deep", b'{"error":' * 5000 + b"1" + b"}" * 5000, ""),
    says("json-huge", {"pad": "x" * 300_000, "error": {"message": "limit reached"}}, "limit reached"),
    says("message-huge", {"error": {"message": "no " * 100_000}}, "no no no"),
    says(
        "message-in-lines", {"error": {"message": "one\r\n\ttwo\x00\x1b[31mthree\u2028four"}}, "one two [31mthree four"
    ),
    says("text", b"Internal Server Error", "Internal Server Error", status="500 X"),
    says("text-huge", b"no " * 1_000_000, "no no no", status="500 X"),
    says(
        "page",
        b"<html><head><title>502 Bad Gateway</title></head><body><center>proxy/1.2</center></body></html>",
        "502 Bad Gateway: proxy/1.2",
        status="502 X",
    ),
    says("page-of-tags", b"<head" * 20_000, "", status="502 X"),
    says(
        "xml",
        b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce it</Message></Error>',
        "SlowDown Reduce it",
        status="503 X",
    ),
    says("empty", b"", NOTHING, status="500 X"),
    says("blank", b" \r\n ", NOTHING, status="500 X"),
    says("binary", bytes(range(256)), "256 bytes of binary data", status="500 X"),
    says("gzip", gzip.compress(b'{"error": "limit reached"}'), "limit reached", "Content-Encoding: gzip"),
    says("deflate", zlib.compress(b'{"error": "limit reached"}'), "limit reached", "Content-Encoding: deflate"),
    says("br", b"\x1b\x0f\x00\xf8", "4 bytes compressed with br", "Content-Encoding: br"),
    says("gzip-that-is-none", b'{"error": "x"}', "not gzip", "Content-Encoding: gzip"),
    says("gzip-bomb", gzip.compress(b"a" * 50_000_000), "aaaa", "Content-Encoding: gzip"),
    says("list-of-one", [{"error": {"message": "quota", "status": "EXHAUSTED"}}], "quota (EXHAUSTED)"),
    says(
        "stream", b'event: error\ndata: {"error": {"message": "it is busy", "type": "load"}}\n\n', "it is busy (load)"
    ),
    says(
        "key-in-it", {"error": {"message": f"the key {KEY} is not known"}}, "the key *** is not known", status="401 X"
    ),
    says("key-at-the-cut", {"error": {"message": "x" * 180 + KEY}}, "xxx", status="401 X"),
    says("key-at-the-cut-of-a-page", b"<p>" + b"y" * 185 + KEY.encode(), "yyy", status="401 X"),
    says("other-key-in-it", b"wrong key: sk-proj-abcdefghijk123", "wrong key: ***", status="401 X"),
]

STATUSES = [
    *(
        says(f"status-{code}", {"error": "no"}, "no", status=f"{code} X")
        for code in (401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 424, 429, 498, 499, 500, 501, 503, 504, 529, 599)
    ),
    Dialect(
        name="body-cut",
        why="the status counts",
        sends=((head("503 X", length=900), b'{"error": "busy"}', Close.FIN),),
        outcome=Outcome.HTTP_5XX,
        status=503,
        says="busy",
    ),
    Dialect(
        name="body-missing",
        why="the status counts",
        sends=((head("503 X", length=900), Close.FIN),),
        outcome=Outcome.HTTP_5XX,
        status=503,
        says="closed",
    ),
    Dialect(
        name="body-in-chunks",
        why="",
        sends=(chunked([b'{"error":', b'"busy"}'], status="503 X"),),
        outcome=Outcome.HTTP_5XX,
        status=503,
        says="busy",
    ),
    Dialect(
        name="body-until-close",
        why="",
        sends=((head("503 X"), b'{"error": "busy"}', Close.FIN),),
        outcome=Outcome.HTTP_5XX,
        status=503,
        says="busy",
    ),
]


@pytest.mark.parametrize("dialect", [*BODIES, *STATUSES], ids=lambda dialect: dialect.name)
def test_a_refusal_is_named_in_the_targets_own_words(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


def test_an_error_in_a_stream_does_not_show_a_part_of_the_key() -> None:
    for size in range(150, 215):
        body = b'data: {"error": {"message": "%b %b"}}\n\n' % (b"x" * size, KEY.encode())
        dialect = Dialect(name="", why="", sends=(chunked([body]),), outcome=Outcome.ERROR_EVENT, says="xxx")
        assert problems(dialect, play(dialect)) == []


def test_data_that_is_no_json_does_not_show_a_part_of_the_key() -> None:
    for size in range(20, 62, 3):
        body = b"data: %b %b\n\n" % (b"x" * size, KEY.encode())
        dialect = Dialect(name="", why="", sends=(chunked([body]),), outcome=Outcome.CORRUPT, says="xxx")
        assert problems(dialect, play(dialect)) == []


RETRIES = {
    "retry-after": ("429 X", ["Retry-After: 7"], "openai-sdk", [7.0, 7.0]),
    "retry-after-with-a-fraction": ("429 X", ["Retry-After: 1.5"], "openai-sdk", [1.5, 1.5]),
    "retry-after-in-lower-case": ("503 X", ["retry-after: 7"], "anthropic-sdk", [7.0, 7.0]),
    "retry-after-ms": ("429 X", ["Retry-After-Ms: 150", "Retry-After: 9"], "openai-sdk", [0.15, 0.15]),
    "retry-after-ms-not-a-number": ("429 X", ["Retry-After-Ms: soon", "Retry-After: 9"], "openai-sdk", [9.0, 9.0]),
    "no-retries-of-400": (BAD, ["Retry-After: 7"], "openai-sdk", []),
    "asked-to-retry-400": (BAD, ["Retry-After: 7", "x-should-retry: true"], "openai-sdk", [7.0, 7.0]),
    "asked-not-to-retry": ("529 X", ["x-should-retry: false"], "anthropic-sdk", []),
}


@pytest.mark.parametrize("name", RETRIES)
def test_a_refusal_is_retried_when_its_headers_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, headers, policy, expected = RETRIES[name]
    slept: list[float] = []
    monkeypatch.setattr(gevent, "sleep", slept.append)
    dialect = says(name, {"error": "no"}, "no", *headers, status=status, retries=policy, attempts=len(expected) + 1)
    assert problems(dialect, play(dialect)) == []
    assert slept == expected


@pytest.mark.parametrize(
    "header",
    [
        "Retry-After: 0",
        "Retry-After: -1",
        "Retry-After: soon",
        "Retry-After:",
        "Retry-After: 86400",
        "X: y",
        "Retry-After: DATE",
    ],
)
def test_a_strange_retry_after_does_not_break_the_call(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(gevent, "sleep", slept.append)
    soon = email.utils.formatdate(time.time() + 30, usegmt=True)
    header = header.replace("DATE", soon)
    good = Dialect(
        name="",
        why="",
        sends=(response("429 X", b"{}", header), chunked([words() + END])),
        text=TEXT,
        retries="openai-sdk",
        attempts=2,
    )
    record = play(good)
    if record.attempts == 2:
        assert problems(good, record) == []
        assert len(slept) == 1
        assert 0 <= slept[0] <= 60
    else:
        assert (record.outcome, slept) == (Outcome.RATE_LIMITED, [])
