"""Dialects of server-sent events at their edges: unusual lines, very long events, repeated ends.

`why` names the standard or rule, and after "SDK:" what the vendor's SDK was seen to do.
"""

from __future__ import annotations

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import (
    DONE,
    END,
    STOP,
    chunk_of,
    event,
    stream,
    words,
)
from tests.support.dialects.play import play, problems

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'
BOTH = (LS, PWD)
GOOD = words() + END
TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT


LINES = [
    stream(
        "byte-order-mark-twice",
        "WHATWG: one is skipped; the next begins an unknown field",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: {x\n\n",
        GOOD,
    ),
    stream(
        "byte-order-mark-later",
        "WHATWG: only at the beginning; later an unknown field",
        words(),
        b"\xef\xbb\xbfdata: {x\n\n",
        END,
    ),
    stream("space-before-the-field", "WHATWG: the name is ' data', an unknown field", b" data: {x\n\n", GOOD),
    stream("space-before-the-colon", "WHATWG: the name is 'data ', an unknown field", b"data : {x\n\n", GOOD),
    stream(
        "event-name-twice",
        "WHATWG: the last one counts",
        words("a"),
        b'event: error\nevent: message\ndata: {"choices": []}\n\n',
        words("b"),
        END,
        text="ab",
    ),
    stream(
        "error-name-last",
        "WHATWG: the last one counts",
        words("a"),
        b'event: message\nevent: error\ndata: {"message": "gone"}\n\n',
        outcome=ERROR,
        says="gone",
        text="a",
    ),
    stream(
        "name-does-not-carry-over",
        "WHATWG: the name is emptied at each blank line",
        words("a"),
        b"event: error\n\n",
        words("b"),
        END,
        text="ab",
    ),
    stream(
        "retry-and-id-alone", "WHATWG: no data, no event", b"retry: 99999999999999999999\n\nid\n\nid: \x00\n\n", GOOD
    ),
    stream(
        "data-lines-of-white-space",
        "joined by LF, which JSON allows",
        words().replace(b"data: ", b"data:   \ndata: "),
        END,
    ),
    stream("comment-of-64-kb", "WHATWG: comments have no limit; SDK: ok", b":" + b" " * 65536 + b"\n\n", GOOD),
    stream("many-comments", "WHATWG: ignored; SDK: ok", b": ka\n\n" * 3000, GOOD),
    stream(
        "three-line-ends-between-events",
        "WHATWG: blank lines dispatch nothing; SDK: ok",
        GOOD.replace(b"\n\n", b"\n\n\n"),
    ),
    stream("crlf-and-more-blank-lines", "the same; SDK: ok", GOOD.replace(b"\n\n", b"\r\n\r\n\r\n")),
    stream(
        "white-space-around-json",
        "RFC 8259, 2: allowed",
        words().replace(b"data: {", b"data: \t {").replace(b"}\n\n", b"} \t\n\n"),
        END,
    ),
    stream(
        "json-in-indented-lines",
        "WHATWG: joined by LF, which JSON allows",
        b'data: {\ndata:   "choices": [\ndata:     {"index": 0, "delta": {"content": "ab"}}\ndata:   ]\ndata: }\n\n',
        STOP,
        DONE,
        text="ab",
    ),
    stream(
        "escaped-keys",
        "RFC 8259, 7: any character may be escaped; SDK: ok",
        words("ab").replace(b'"content"', b'"c\\u006fntent"'),
        END,
        text="ab",
    ),
    stream(
        "field-given-twice",
        "RFC 8259, 4: most take the last one; SDK: the last one",
        words("ab").replace(b'"content": "ab"', b'"content": "no", "content": "ab"'),
        END,
        text="ab",
    ),
    stream(
        "event-of-3-mb",
        "no limit in the standard; SDK: ok",
        event(chunk_of({"content": "y" * 3_000_000})),
        STOP,
        DONE,
        text="y" * 3_000_000,
    ),
    stream(
        "event-of-6-mb",
        "no limit in the standard; SDK: ok",
        event(chunk_of({"content": "ab"}, padding="y" * 6_000_000)),
        STOP,
        DONE,
        text="ab",
    ),
    stream(
        "done-with-a-data-line-before",
        "WHATWG: joined by LF; the data then begins with it",
        words(),
        STOP,
        b"data: [DONE]\ndata: ok\n\n",
        terminals=1,
    ),
    stream("done-with-tab", "as with spaces", words(), STOP, b"data: [DONE]\t\n\n", terminals=1),
    stream(
        "done-with-crlf-only-once",
        "the body is complete, so the event is",
        words(),
        STOP,
        b"data: [DONE]\r\n",
        terminals=1,
    ),
    stream("finish-and-done-in-one-read-of-cr", "WHATWG: CR ends a line", (STOP + DONE).replace(b"\n", b"\r"), text=""),
    stream("done-three-times", "counted", GOOD, DONE, DONE, terminals=3),
    stream(
        "done-after-done-without-blank-line",
        "counted, as at any end of a complete body",
        GOOD,
        b"data: [DONE]",
        terminals=2,
    ),
]


@pytest.mark.parametrize("dialect", [*LINES], ids=lambda dialect: dialect.name)
def test_an_edge_of_server_sent_events_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
