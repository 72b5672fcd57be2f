"""Dialects of server-sent events: line ends, fields, comments, [DONE], and last events without a blank line."""

from __future__ import annotations

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects import anthropic
from tests.support.dialects.case import Close, Dialect
from tests.support.dialects.http import LAST_CHUNK, chunk, chunked, head
from tests.support.dialects.openai import DONE, END, PIECES, STOP, TEXT, chunk_of, event, stream, words
from tests.support.dialects.play import play, problems

GOOD = words() + END
HTTP_10 = head(version="HTTP/1.0")
TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT


def cut(name: str, why: str, *events: bytes | float, **expected: object) -> Dialect:
    """A stream whose connection closes without the last chunk."""
    sends = (*chunked(events, end=False), Close.FIN)
    return Dialect(name=name, why=why, sends=(sends,), outcome=TRUNCATED, **expected)  # type: ignore[arg-type]


LINES = [
    stream("plain", "the usual form", GOOD, tokens=8, terminals=1, pieces=8, estimated=False),
    stream("crlf", "WHATWG: a line ends with CRLF, LF or CR", GOOD.replace(b"\n", b"\r\n"), tokens=8, terminals=1),
    stream("cr", "WHATWG: a line ends with CRLF, LF or CR", GOOD.replace(b"\n", b"\r"), tokens=8, terminals=1),
    stream(
        "mixed-line-ends",
        "each line may end in its own way",
        words().replace(b"\n", b"\r\n"),
        STOP.replace(b"\n", b"\r"),
        DONE,
        terminals=1,
    ),
    stream("lf-then-crlf", "a blank line may be LF after CRLF", words().replace(b"\n\n", b"\n\r\n"), END, tokens=8),
    stream(
        "crlf-split-between-reads",
        "the LF of a CRLF may come later",
        words().replace(b"\n", b"\r\n")[:-1],
        0.01,
        b"\n" + END,
        pieces=8,
    ),
    stream("cr-at-the-end", "a blank line of CR ends the last event", words(), STOP, b"data: [DONE]\r\r", terminals=1),
    stream("byte-order-mark", "WHATWG: one mark at the beginning is skipped", b"\xef\xbb\xbf", GOOD, tokens=8),
    stream("split-byte-order-mark", "also if it comes in pieces", b"\xef", 0.01, b"\xbb\xbf" + GOOD, pieces=8),
    stream("blank-lines", "an event without fields is none", b"\n\n\n\n", words(), b"\n\n\n", END, pieces=8),
    stream("no-space-after-colon", "the space is optional", GOOD.replace(b"data: ", b"data:"), pieces=8),
    stream("two-spaces-after-colon", "one is removed, JSON allows the other", GOOD.replace(b"data: ", b"data:  ")),
    stream("tab-after-colon", "JSON allows it", words().replace(b"data: ", b"data:\t"), END, pieces=8),
    stream(
        "data-in-several-lines",
        "WHATWG: lines of data are joined by LF, which JSON allows between values",
        words().replace(b', "created"', b',\ndata: "created"'),
        END,
        pieces=8,
    ),
    stream(
        "data-in-two-lines-cut-a-string",
        "a line break in a JSON string is no JSON",
        words(*PIECES[:2]),
        b'data: {"choices": [{"index": 0, "delta": {"content": "a\ndata: b"}}]}\n\n',
        END,
        outcome=CORRUPT,
    ),
    stream("data-without-colon", "WHATWG: the whole line is the name, the value is empty", b"data\n\n", GOOD, pieces=8),
    stream("empty-data", "nothing to read", b"data:\n\n", words(), b"data: \n\n", END, pieces=8),
    stream(
        "empty-data-lines-in-an-event",
        "joined by LF, which JSON allows",
        words().replace(b"data: ", b"data:\ndata: "),
        END,
    ),
    stream(
        "comments",
        "WHATWG: a line that begins with a colon is a comment",
        b": hello\n\n:\n\n",
        words(),
        b":bye\n" + END,
        pieces=8,
    ),
    stream(
        "comment-inside-an-event", "also between the fields", words().replace(b"data: ", b": x\ndata: "), END, tokens=8
    ),
    stream("comment-without-blank-line", "it is no event of its own", b": a\n", 0.01, b": b\n" + GOOD, pieces=8),
    stream("comment-that-looks-like-data", "still a comment", b":data: {broken\n\n", GOOD, pieces=8),
    stream(
        "id-retry-and-unknown-fields",
        "unknown fields are ignored",
        b"retry: 15\nid: 1\n\n",
        words().replace(b"data: ", b"id: 4\nretry: x\nwhat: ever\nfoo\ndata: "),
        END,
        pieces=8,
    ),
    stream("fields-in-other-case", "names are case-sensitive: DATA is another field", b"DATA: {broken\n\n", GOOD),
    stream(
        "unknown-event-names",
        "the openai SDK reads the data of all events",
        words().replace(b"data: ", b"event: chat.chunk\ndata: "),
        END,
        pieces=8,
    ),
    stream(
        "event-line-after-data", "the order of fields is free", words().replace(b"}\n\n", b"}\nevent: message\n\n"), END
    ),
    stream(
        "event-name-without-data",
        "WHATWG: an event without data is not dispatched",
        b"event: error\n\n",
        GOOD,
        pieces=8,
    ),
    stream("empty-event-name", "an empty name is the usual one", words().replace(b"data: ", b"event:\ndata: "), END),
    stream(
        "huge-event",
        "an event has no limit of size in the standard",
        words(),
        event(chunk_of({"content": "x" * 700_000})),
        END,
        text=TEXT + "x" * 700_000,
        pieces=9,
    ),
    stream(
        "line-separators-of-unicode", "only CR and LF end a line", words("a\u2028b\u0085c"), END, text="a\u2028b\u0085c"
    ),
    stream("several-events-a-chunk", "HTTP chunks have no meaning", GOOD, tokens=8, pieces=8),
    stream(
        "byte-by-byte",
        "reads have no meaning",
        *(bytes([byte]) for byte in words("One ", "two.") + STOP + DONE),
        text="One two.",
        pieces=2,
        terminals=1,
    ),
]

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
    stream("finish-without-blank-line", "the body is complete, so the event is", words(), STOP[:-2], terminals=0),
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
    cut("closed-before-the-last-chunk", "RFC 9112: the message is incomplete", GOOD, says="closed", text=TEXT),
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

MESSAGES = [
    anthropic.stream(
        "a-crlf",
        "the same rules",
        (anthropic.START + anthropic.text_block() + anthropic.END).replace(b"\n", b"\r\n"),
        tokens=8,
        terminals=1,
    ),
    anthropic.stream(
        "a-cr",
        "the same rules",
        (anthropic.START + anthropic.text_block() + anthropic.END).replace(b"\n", b"\r"),
        tokens=8,
        terminals=1,
    ),
    anthropic.stream(
        "a-data-before-event",
        "the order of fields is free",
        anthropic.START,
        anthropic.text_block(),
        *(
            b"data: %b\nevent: %b\n\n" % (part.split(b"\n")[1][6:], part.split(b"\n")[0][7:])
            for part in anthropic.END.split(b"\n\n")
            if part
        ),
        tokens=8,
    ),
    anthropic.stream(
        "a-done-after-stop", "vLLM sends it", anthropic.START, anthropic.text_block(), anthropic.END, DONE, terminals=1
    ),
    anthropic.stream(
        "a-content-after-stop",
        "the message has ended",
        anthropic.START,
        anthropic.text_block(),
        anthropic.END,
        anthropic.text_block(1),
        pieces=8,
    ),
    anthropic.stream(
        "a-error-after-stop",
        "the message has ended",
        anthropic.START,
        anthropic.text_block(),
        anthropic.END,
        anthropic.event("error", error={"message": "late"}),
        terminals=1,
    ),
    anthropic.stream(
        "a-garbage-after-stop",
        "the message has ended",
        anthropic.START,
        anthropic.text_block(),
        anthropic.END,
        event("oops", name="message_delta"),
        terminals=1,
    ),
    anthropic.stream(
        "a-garbage-before-stop",
        "no JSON",
        anthropic.START,
        anthropic.text_block(),
        event("oops", name="message_delta"),
        anthropic.END,
        outcome=CORRUPT,
        says="oops",
    ),
    anthropic.stream(
        "a-last-event-without-blank-line",
        "complete",
        anthropic.START,
        anthropic.text_block(),
        anthropic.END[:-2],
        terminals=1,
    ),
]


@pytest.mark.parametrize("dialect", [*LINES, *DONES, *LAST_EVENTS, *BYTES, *MESSAGES], ids=lambda dialect: dialect.name)
def test_a_dialect_of_server_sent_events_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
