"""Dialects of server-sent events: [DONE], last events without a blank line, strange bytes."""

from __future__ import annotations

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Close, Dialect
from tests.support.dialects.http import LAST_CHUNK, chunk, chunked, head
from tests.support.dialects.openai import DONE, END, STOP, TEXT, chunk_of, event, stream, words
from tests.support.dialects.play import play, problems

GOOD = words() + END

HTTP_10 = head(version="HTTP/1.0")

TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT


def cut(name: str, why: str, *events: bytes | float, **expected: object) -> Dialect:
    """A stream whose connection closes without the last chunk."""
    sends = (*chunked(events, end=False), Close.FIN)
    return Dialect(name=name, why=why, sends=(sends,), outcome=TRUNCATED, **expected)  # type: ignore[arg-type]


DONES = [
    stream(
        "done-with-spaces",
        "the openai SDK takes all data that begins with [DONE]",
        words(),
        STOP,
        b"data: [DONE]  \n\n",
        terminals=1,
    ),
    stream("done-without-space", "", words(), STOP, b"data:[DONE]\n\n", terminals=1),
    stream("done-after-two-spaces", "", words(), STOP, b"data:  [DONE]\n\n", terminals=1),
    stream(
        "done-and-more",
        "the openai SDK takes all data that begins with [DONE]",
        words(),
        STOP,
        b"data: [DONE] 17 ms\n\n",
        terminals=1,
    ),
    stream(
        "done-without-blank-line", "the body is complete, so the event is", words(), STOP, b"data: [DONE]", terminals=1
    ),
    stream(
        "done-with-one-newline", "the body is complete, so the event is", words(), STOP, b"data: [DONE]\n", terminals=1
    ),
    stream("done-with-one-cr", "the body is complete, so the event is", words(), STOP, b"data: [DONE]\r", terminals=1),
    stream("done-twice", "counted, but good", GOOD, DONE, terminals=2),
    stream("done-with-event-line", "", words(), STOP, b"event: done\ndata: [DONE]\n\n", terminals=1),
    stream("done-with-id", "", words(), STOP, b"id: 9\ndata: [DONE]\n\n", terminals=1),
    stream(
        "done-in-lower-case",
        "the openai SDK cannot decode it",
        words(),
        STOP,
        b"data: [done]\n\n",
        outcome=CORRUPT,
        says="[done]",
    ),
    stream("done-as-a-json-string", "no JSON object", words(), STOP, b'data: "[DONE]"\n\n', outcome=CORRUPT),
    stream("no-done", "the finish reason is enough", words(), STOP, terminals=0),
    stream("no-done-and-no-finish", "cut", words(), outcome=TRUNCATED, says="without a finish reason", terminals=0),
    stream(
        "done-without-finish",
        "cut, whatever the end says",
        words(),
        DONE,
        outcome=TRUNCATED,
        says="without a finish reason",
    ),
    stream("only-done", "an empty answer without a finish reason", DONE, outcome=TRUNCATED, text=""),
    stream("done-before-finish", "the openai SDK stops reading at [DONE]", words(), DONE, STOP, outcome=TRUNCATED),
    stream("content-after-done", "the openai SDK stops reading at [DONE]", GOOD, words("More."), pieces=8, terminals=1),
    stream(
        "tool-call-after-done",
        "the same",
        GOOD,
        event(chunk_of({"tool_calls": [{"index": 0, "id": "z", "function": {"name": "bash"}}]})),
        tools=(),
    ),
    stream("error-after-done", "the same", GOOD, event({"error": {"message": "late"}}), pieces=8),
    stream("garbage-after-done", "the same", GOOD, b"data: {broken\n\n", pieces=8),
    stream(
        "usage-after-done",
        "the same",
        words(),
        STOP,
        DONE,
        event(chunk_of(choices=[], usage={"completion_tokens": 3})),
        estimated=True,
    ),
    stream("html-after-done", "", GOOD, b"<html>bye</html>\n\n", pieces=8),
]

LAST_EVENTS = [
    stream(
        "finish-without-blank-line",
        "the body is complete, so the event is (the SDK drops it)",
        words(),
        STOP[:-2],
        terminals=0,
    ),
    stream("finish-with-one-newline", "the same", words(), STOP[:-1]),
    stream("last-event-is-cut", "the finish reason is missing", words(), STOP[:-20], outcome=TRUNCATED),
    stream(
        "last-event-is-cut-after-finish", "what is needed is there", words(), STOP, event(chunk_of(choices=[]))[:-20]
    ),
    stream("last-event-is-a-cut-word", "the beginning of `data`", words(), STOP, b"dat"),
    stream("last-event-is-a-comment", "", words(), END, b": bye"),
    stream(
        "error-without-blank-line",
        "complete, so read",
        words("a"),
        event({"error": "out of memory"})[:-2],
        outcome=ERROR,
        says="out of memory",
    ),
    cut(
        "closed-before-the-last-chunk", "RFC 9112: incomplete (the SDK stops at [DONE])", GOOD, says="closed", text=TEXT
    ),
    cut("closed-after-done-without-blank-line", "the same", words(), STOP, DONE[:-2], says="closed"),
    cut("closed-in-the-answer", "the same", words(), says="closed"),
    Dialect(
        name="closed-by-a-reset",
        why="the message is incomplete",
        sends=((*chunked([GOOD], end=False), Close.RST),),
        outcome=TRUNCATED,
        says="closed",
    ),
    Dialect(
        name="closed-in-a-chunk",
        why="the chunk is shorter than its size",
        sends=((head("200 OK", "Transfer-Encoding: chunked"), chunk(GOOD), b"40\r\nshort", Close.FIN),),
        outcome=TRUNCATED,
    ),
    Dialect(
        name="closed-in-the-last-chunk",
        why="RFC 9112: the last line of the trailers is missing",
        sends=((*chunked([GOOD], end=False), LAST_CHUNK[:-2], Close.FIN),),
        outcome=TRUNCATED,
    ),
    Dialect(
        name="http-1.0-until-close",
        why="the close ends the body",
        sends=((HTTP_10, GOOD, Close.FIN),),
        text=TEXT,
        terminals=1,
    ),
    Dialect(
        name="http-1.0-last-event-without-blank-line",
        why="the body is complete",
        sends=((HTTP_10, words(), STOP[:-2], Close.FIN),),
        text=TEXT,
    ),
    Dialect(name="http-1.0-cut", why="no finish reason", sends=((HTTP_10, words(), Close.FIN),), outcome=TRUNCATED),
    Dialect(
        name="http-1.0-reset",
        why="a reset is no end of the body",
        sends=((HTTP_10, GOOD, Close.RST),),
        outcome=TRUNCATED,
    ),
]

BYTES = [
    stream("escaped-nul", "valid JSON", words("a\x00b"), END, text="a\x00b"),
    stream(
        "raw-nul",
        "RFC 8259: control characters in a string are escaped",
        words("ab"),
        words("cd").replace(b"cd", b"c\x00d"),
        END,
        outcome=CORRUPT,
    ),
    stream(
        "raw-tab",
        "the same, also in a chunk that looks like the one before",
        words("efgh"),
        words("ij").replace(b"ij", b"i\tj"),
        END,
        outcome=CORRUPT,
    ),
    stream("nul-between-events", "no field, so ignored", words(), b"\x00\n\n", END, tokens=8),
    stream(
        "invalid-utf-8",
        "JSON is UTF-8; the SDK raises UnicodeDecodeError",
        words("Gr").replace(b"Gr", b"Gr\xfc"),
        END,
        outcome=CORRUPT,
    ),
    stream(
        "invalid-utf-8-later",
        "the same, in a chunk that looks like the one before",
        words("abcd"),
        words("ef").replace(b"ef", b"e\xff"),
        words("more"),
        END,
        outcome=CORRUPT,
    ),
    stream("invalid-utf-8-in-a-comment", "comments are not read", b": \xff\xfe\n\n", GOOD, tokens=8),
    stream(
        "surrogate-pair",
        "an escaped pair is one character",
        words("x").replace(b'"x"', b'"\\ud83d\\ude80"'),
        END,
        text="🚀",
    ),
    stream(
        "lone-surrogate",
        "the SDK takes it; it cannot be encoded, so it is replaced",
        words("x").replace(b'"x"', b'"\\ud83d!"'),
        END,
        text="?!",
    ),
    stream(
        "lone-surrogates-elsewhere",
        "in fields that end in a span",
        event(chunk_of({"content": TEXT}) | {"model": "m-"}).replace(b'"m-"', b'"m-\\udc00"'),
        END,
    ),
    stream(
        "characters-split-between-reads",
        "reads have no meaning",
        words("渡輪")[:-40],
        0.01,
        words("渡輪")[-40:],
        END,
        text="渡輪",
    ),
    stream(
        "escaped-slash-and-quotes",
        "any JSON escape",
        words("x").replace(b'"x"', b'"\\/\\"\\u0041\\n"'),
        END,
        text='/"A\n',
    ),
    stream(
        "not-a-number",
        "the SDK's decoder takes NaN",
        words(),
        event('{"choices": [], "usage": {"completion_tokens": NaN}}'),
        STOP,
        estimated=True,
    ),
    stream(
        "very-large-number",
        "the count cannot be used",
        words(),
        event('{"choices": [], "usage": {"completion_tokens": 1' + "0" * 400 + "}}"),
        STOP,
        estimated=True,
    ),
    stream("deep-nesting", "nothing raises", words(), event("[" * 100_000 + "]" * 100_000), END, outcome=CORRUPT),
    stream("json-with-garbage", "no JSON", words(), event('{"choices": []} trailing'), END, outcome=CORRUPT),
    stream("json-array", "no object", event("[]"), GOOD, outcome=CORRUPT, says="[]"),
    stream("json-null", "no object", event("null"), GOOD, outcome=CORRUPT),
    stream("json-number", "no object", event("17"), GOOD, outcome=CORRUPT),
    stream("data-that-is-a-comment", "no JSON", event(": keep alive"), GOOD, outcome=CORRUPT, says=": keep alive"),
    stream("garbage-after-finish", "before the end of the stream", words(), STOP, event("oops"), DONE, outcome=CORRUPT),
]


@pytest.mark.parametrize("dialect", [*DONES, *LAST_EVENTS, *BYTES], ids=lambda dialect: dialect.name)
def test_an_end_of_server_sent_events_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
