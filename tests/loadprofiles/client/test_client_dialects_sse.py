"""Dialects of server-sent events: line ends, fields, comments, on both APIs."""

from __future__ import annotations

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects import anthropic
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import DONE, END, PIECES, STOP, TEXT, chunk_of, event, stream, words
from tests.support.dialects.play import play, problems

GOOD = words() + END


TRUNCATED, CORRUPT = Outcome.TRUNCATED, Outcome.CORRUPT


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


@pytest.mark.parametrize("dialect", [*LINES, *MESSAGES], ids=lambda dialect: dialect.name)
def test_a_dialect_of_server_sent_events_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
