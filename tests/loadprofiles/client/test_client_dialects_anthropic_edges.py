"""Dialects of the Messages API at its edges: fields and events that servers add, repeat, or misplace.

`why` names the standard or rule, and after "SDK:" what the vendor's SDK was seen to do.
"""

from __future__ import annotations

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.anthropic import (
    END,
    START,
    STOP,
    block,
    delta,
    end_of,
    event,
    start,
    stream,
    text_block,
)
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import DONE, PIECES, TEXT, chunk_of
from tests.support.dialects.openai import event as data_event
from tests.support.dialects.play import play, problems

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'
WORDS = text_block()
DELTA = END[: -len(STOP)]
TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT


STREAMS = [
    stream(
        "done-in-place-of-message-stop", "the stop reason is enough; SDK: ok", START, WORDS, DELTA, DONE, terminals=0
    ),
    stream("done-before-the-stop-reason", "not an event of this API", START, WORDS, DONE, END, pieces=8, terminals=1),
    stream(
        "done-with-spaces-after-stop", "after the end; SDK: ok", START, WORDS, END, b"data: [DONE]  \n\n", terminals=1
    ),
    stream(
        "done-without-blank-line-after-stop", "after the end; SDK: ok", START, WORDS, END, b"data: [DONE]", terminals=1
    ),
    stream("done-alone", "no stop reason", START, WORDS, DONE, outcome=TRUNCATED, says="finish reason"),
    stream("two-stop-reasons", "both are counted; SDK: ok", START, WORDS, DELTA, DELTA, STOP, terminals=2),
    stream("message-start-twice", "the blocks of both; SDK: ok", START, START, WORDS, END, pieces=8, terminals=1),
    stream(
        "stop-reason-in-message-start-only",
        "not the end of the message",
        start(stop_reason="end_turn"),
        WORDS,
        STOP,
        outcome=TRUNCATED,
    ),
    stream(
        "stop-reason-beside-the-delta",
        "not the place of it; SDK: no stop reason",
        START,
        WORDS,
        event("message_delta", stop_reason="end_turn", delta={}),
        STOP,
        outcome=TRUNCATED,
    ),
    stream(
        "stop-sequence",
        "a stop reason; SDK: ok",
        START,
        WORDS,
        event(
            "message_delta", delta={"stop_reason": "stop_sequence", "stop_sequence": "END"}, usage={"output_tokens": 8}
        ),
        STOP,
        finish="stop_sequence",
    ),
    stream(
        "context-window-exceeded",
        "a stop reason; SDK: ok",
        START,
        WORDS,
        end_of("model_context_window_exceeded"),
        finish="model_context_window_exceeded",
    ),
    stream(
        "event-line-of-another-kind",
        "a known event without a use: nothing to read; SDK: ok",
        START,
        event("ping", name="content_block_delta"),
        WORDS,
        END,
        pieces=8,
    ),
    stream(
        "pings-between-all-events",
        "the API says so; SDK: ok",
        START,
        *(event("ping") + part + b"\n\n" for part in WORDS.split(b"\n\n") if part),
        END,
        pieces=8,
    ),
    stream(
        "comments-between-events",
        "WHATWG: ignored; SDK: ok",
        b": hi\n\n",
        START,
        b": a\n\n",
        WORDS,
        b": b\n\n",
        END,
        pieces=8,
    ),
    stream(
        "no-space-after-the-colons",
        "the space is optional; SDK: ok",
        (START + WORDS + END).replace(b"event: ", b"event:").replace(b"data: ", b"data:"),
        pieces=8,
    ),
    stream("byte-order-mark", "WHATWG: one is skipped", b"\xef\xbb\xbf" + START, WORDS, END, pieces=8),
    stream(
        "unknown-fields",
        "not needed; SDK: ok",
        start(container=None, context_management={"applied_edits": []}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": TEXT, "x": [1]}, y=None),
        END,
        pieces=1,
    ),
    stream(
        "unknown-delta-type",
        "new ones may come; SDK: ok",
        START,
        delta(type="mood_delta", mood="calm"),
        WORDS,
        END,
        pieces=8,
    ),
    stream("delta-without-type", "its text counts; SDK: ok", START, *(delta(text=p) for p in PIECES), END, pieces=8),
    stream(
        "index-text",
        "not needed for text; SDK: ok",
        START,
        *(delta("0", type="text_delta", text=p) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "index-null",
        "not needed for text; SDK: ok",
        START,
        *(delta(None, type="text_delta", text=p) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "empty-text-deltas",
        "nothing in them; SDK: ok",
        START,
        delta(type="text_delta", text=""),
        WORDS,
        delta(type="text_delta", text=""),
        END,
        pieces=8,
    ),
    stream(
        "empty-thinking-block",
        "nothing in it; SDK: ok",
        START,
        block(0, {"type": "thinking", "thinking": "", "signature": "c2ln"}),
        text_block(1),
        END,
        pieces=8,
    ),
    stream(
        "signature-only",
        "no piece of the answer; SDK: ok",
        START,
        block(0, {"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "c2ln"}),
        text_block(1),
        END,
        pieces=8,
    ),
    stream(
        "several-thinking-blocks",
        "received; SDK: ok",
        START,
        *(
            block(n, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm."})
            for n in (0, 1)
        ),
        text_block(2),
        END,
        pieces=10,
    ),
    stream(
        "thinking-after-text",
        "order has no meaning; SDK: ok",
        START,
        WORDS,
        block(1, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm."}),
        END,
        pieces=9,
    ),
    stream(
        "usage-of-the-cache-null",
        "none; SDK: ok",
        start(usage={"input_tokens": 31, "cache_read_input_tokens": None, "cache_creation": None, "output_tokens": 1}),
        WORDS,
        END,
        tokens=8,
    ),
    stream(
        "usage-zero-at-the-end",
        "something was received",
        START,
        WORDS,
        end_of(usage={"output_tokens": 0}),
        estimated=True,
    ),
    stream(
        "usage-grows",
        "the last count; SDK: ok",
        START,
        WORDS,
        *(event("message_delta", delta={}, usage={"output_tokens": n}) for n in (2, 5)),
        END,
        tokens=8,
        terminals=1,
    ),
    stream(
        "wide-characters-without-usage",
        "a character a token",
        START,
        text_block(0, tuple("雨落在鐵皮屋頂上")),
        event("message_delta", delta={"stop_reason": "end_turn"}),
        STOP,
        text="雨落在鐵皮屋頂上",
        tokens=8,
        pieces=8,
        estimated=True,
    ),
    stream(
        "chat-completion-chunks",
        "another API's stream has no stop reason here",
        data_event(chunk_of({"content": "a"}, "stop")),
        DONE,
        outcome=TRUNCATED,
        text=None,
    ),
    stream(
        "raw-line-break-in-text",
        "RFC 8259, 7: no JSON",
        START,
        WORDS.replace(b"Rain ", b"Rain\t"),
        END,
        outcome=CORRUPT,
    ),
]


@pytest.mark.parametrize("dialect", [*STREAMS], ids=lambda dialect: dialect.name)
def test_an_edge_of_the_messages_api_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
