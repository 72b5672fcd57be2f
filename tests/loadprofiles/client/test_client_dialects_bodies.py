"""Bodies that are no stream: in place of one, or because the call asked for a whole body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects import anthropic
from tests.support.dialects.case import Close, Dialect, Step
from tests.support.dialects.http import chunked, head, response
from tests.support.dialects.openai import END, TEXT, completion, whole, words
from tests.support.dialects.play import play, problems

TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT

GOOD = words() + END


STREAM = "text/event-stream"


def raw(name: str, why: str, *steps: Step, **expected: Any) -> Dialect:
    """A case with exact bytes."""
    if expected.get("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(steps,), **expected)


PAGE = (
    b"<!doctype html>\n<html>\n<head><title>Log in</title>\n<style>\n:root { color: red }\n</style></head>\n\n"
    b"<body>\n\n<p>Your session has ended.</p>\n\n</body></html>"
)

OTHER_BODIES = [
    raw(
        "json-for-a-stream",
        "the target does not stream",
        *response("200 OK", json.dumps(completion()).encode()),
        outcome=CORRUPT,
        says="does not stream",
    ),
    raw(
        "json-with-blank-lines",
        "",
        *response("200 OK", json.dumps(completion(), indent=1).replace("\n", "\n\n").encode()),
        outcome=CORRUPT,
        says="does not stream",
    ),
    raw(
        "json-with-crlf",
        "",
        *response("200 OK", json.dumps(completion(), indent=1).replace("\n", "\r\n\r\n").encode()),
        outcome=CORRUPT,
        says="does not stream",
    ),
    raw(
        "error-for-a-stream",
        "an error with a good status",
        *response("200 OK", b'{"error": {"message": "all busy", "code": 503}}'),
        outcome=ERROR,
        says="all busy",
    ),
    raw(
        "error-in-a-list-for-a-stream",
        "Gemini sends its errors so",
        *response("200 OK", b'[{"error": {"message": "all busy"}}]'),
        outcome=ERROR,
        says="all busy",
    ),
    raw("error-text-for-a-stream", "", *response("200 OK", b'{"error": "all busy"}'), outcome=ERROR, says="all busy"),
    raw(
        "error-with-blank-lines",
        "",
        *response("200 OK", b'\n\n{\n\n"error": {\n\n"message": "all busy"}}\n\n'),
        outcome=ERROR,
        says="all busy",
    ),
    raw(
        "error-with-a-byte-order-mark",
        "",
        *response("200 OK", b'\xef\xbb\xbf{"error": "all busy"}'),
        outcome=ERROR,
        says="all busy",
    ),
    raw(
        "detail-for-a-stream",
        "no completion",
        *response("200 OK", b'{"detail": "model is loading"}'),
        outcome=CORRUPT,
        says="model is loading",
    ),
    raw("page-for-a-stream", "no stream", *response("200 OK", PAGE, kind="text/html"), outcome=CORRUPT, says="Log in"),
    raw(
        "page-with-a-style-in-one-block",
        "a line of a page may begin with a colon",
        *response("200 OK", PAGE.replace(b"\n\n", b"\n"), kind="text/html"),
        outcome=CORRUPT,
        says="session has ended",
    ),
    raw(
        "text-for-a-stream",
        "no stream",
        *response("200 OK", b"upstream connect error", kind="text/plain"),
        outcome=CORRUPT,
        says="upstream connect error (text/plain)",
    ),
    raw(
        "lines-of-json-for-a-stream",
        "no stream",
        *response("200 OK", b'{"response": "a"}\n{"response": "b", "done": true}\n', kind="application/x-ndjson"),
        outcome=CORRUPT,
        says="ndjson",
    ),
    raw("nothing-for-a-stream", "no finish reason", *response("200 OK", b"", kind=STREAM), outcome=TRUNCATED, text=""),
    raw(
        "blank-lines-for-a-stream", "no finish reason", *response("200 OK", b"\n\n\r\n", kind=STREAM), outcome=TRUNCATED
    ),
    raw(
        "comments-for-a-stream",
        "no finish reason",
        *response("200 OK", b": busy\n\n: busy\n\n", kind=STREAM),
        outcome=TRUNCATED,
    ),
    raw("no-content", "RFC 9110: 204 has no body", head("204 No Content", kind=None), outcome=TRUNCATED, status=204),
    raw(
        "binary-for-a-stream",
        "no stream",
        *response("200 OK", bytes(range(256)) * 8, kind="application/octet-stream"),
        outcome=CORRUPT,
        says="octet-stream",
    ),
    raw(
        "a-json-for-a-stream",
        "the target does not stream",
        *response("200 OK", json.dumps(anthropic.message()).encode()),
        api="anthropic",
        outcome=CORRUPT,
        says="does not stream",
    ),
    raw(
        "a-page-for-a-stream",
        "no stream",
        *response("200 OK", PAGE, kind="text/html"),
        api="anthropic",
        outcome=CORRUPT,
        says="Log in",
    ),
    raw(
        "a-nothing-for-a-stream",
        "no stop reason",
        *response("200 OK", b"", kind=STREAM),
        api="anthropic",
        outcome=TRUNCATED,
    ),
]

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
    whole(
        "whole-two-choices",
        "further ones were not asked for",
        completion(
            choices=[{"index": 1, "message": {"content": "B"}, "finish_reason": "stop"}, completion()["choices"][0]]
        ),
    ),
    whole("whole-choices-empty", "no answer", completion(choices=[]), outcome=CORRUPT, says="no choices"),
    whole("whole-choices-null", "no answer", completion(choices=None), outcome=CORRUPT, says="no choices"),
    whole(
        "whole-error", "an error with a good status", {"error": {"message": "all busy"}}, outcome=ERROR, says="all busy"
    ),
    whole("whole-error-null", "no error", completion(error=None), tokens=8),
    whole("whole-detail", "no answer", {"detail": "model is loading"}, outcome=CORRUPT, says="model is loading"),
    whole("whole-null", "no object", b"null", outcome=CORRUPT),
    whole("whole-list", "no object", b"[1, 2]", outcome=CORRUPT),
    whole("whole-text-body", "no JSON", b"upstream connect error", outcome=CORRUPT, says="upstream connect error"),
    whole("whole-page", "no JSON", PAGE, outcome=CORRUPT, says="Log in"),
    whole("whole-nothing", "no JSON", b"", outcome=CORRUPT, says="empty"),
    whole("whole-cut-json", "no JSON", json.dumps(completion()).encode()[:-30], outcome=CORRUPT),
    whole(
        "whole-byte-order-mark",
        "the SDK's decoder skips it",
        b"\xef\xbb\xbf" + json.dumps(completion()).encode(),
        tokens=8,
    ),
    whole("whole-blanks-around", "JSON allows them", b"\n\n  " + json.dumps(completion()).encode() + b"\r\n", tokens=8),
    whole("whole-stream", "the request asked for one body", GOOD, outcome=CORRUPT),
    raw("whole-in-chunks", "", *chunked([json.dumps(completion()).encode()]), stream=False, tokens=8),
    raw(
        "whole-closed",
        "incomplete",
        head(length=900, kind="application/json"),
        json.dumps(completion()).encode()[:40],
        Close.FIN,
        stream=False,
        outcome=TRUNCATED,
        says="closed",
    ),
    raw("whole-no-content", "no body", head("204 No Content", kind=None), stream=False, outcome=CORRUPT, status=204),
]


@pytest.mark.parametrize("dialect", [*OTHER_BODIES, *WHOLE], ids=lambda dialect: dialect.name)
def test_a_body_that_is_no_stream_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


"""Responses, and how many connections two calls then need."""
