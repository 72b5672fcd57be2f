"""Dialects of chat completions at their edges: fields that servers add, repeat, or put in another place.

`why` names the standard or rule, and after "SDK:" what the vendor's SDK was seen to do.
"""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import (
    DONE,
    END,
    PIECES,
    STOP,
    USAGE,
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


def with_choice(**fields: Any) -> bytes:
    """A chunk whose choice has these fields instead of the usual ones."""
    return event(chunk_of(choice=fields))


CHUNKS = [
    stream(
        "choices-of-other-types",
        "cannot be used, so absent",
        event(chunk_of(choices=[5, "a", [], True])),
        GOOD,
        pieces=8,
    ),
    stream("choices-text", "cannot be used, so absent", event(chunk_of(choices="none")), GOOD, pieces=8),
    stream("delta-text", "cannot be used, so absent", with_choice(delta="x"), GOOD, pieces=8),
    stream(
        "delta-of-unknown-fields",
        "no piece of the answer; SDK: ok",
        event(chunk_of({"mood": "calm", "n": [1], "annotations": None})),
        GOOD,
        pieces=8,
    ),
    stream("content-boolean", "cannot be used, so absent", event(chunk_of({"content": True})), GOOD, pieces=8),
    stream(
        "content-parts-of-other-kinds",
        "text parts are joined, others ignored",
        *(
            event(
                chunk_of(
                    {
                        "content": [
                            {"type": "image_url", "image_url": {}},
                            None,
                            3,
                            {"type": "text", "text": p},
                            {"type": "text", "text": None},
                        ]
                    }
                )
            )
            for p in PIECES
        ),
        END,
        pieces=8,
    ),
    stream(
        "content-several-text-parts",
        "joined",
        event(chunk_of({"content": [{"type": "text", "text": p} for p in PIECES]})),
        STOP,
        DONE,
        pieces=1,
    ),
    stream(
        "content-part-without-type",
        "its text counts",
        *(event(chunk_of({"content": [{"text": p}]})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "refusal-in-parts",
        "an answer too",
        event(chunk_of({"content": [{"type": "refusal", "refusal": "Nope."}]})),
        STOP,
        DONE,
        text="Nope.",
        pieces=1,
    ),
    stream(
        "refusal-null",
        "nothing in it; SDK: ok",
        *(event(chunk_of({"content": p, "refusal": None, "tool_calls": None, "function_call": None})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "refusal-finishes-with-stop",
        "the model's own end; SDK: ok",
        event(chunk_of({"content": None, "refusal": "No."})),
        STOP,
        DONE,
        text="No.",
        pieces=1,
        finish="stop",
    ),
    stream("role-of-null", "not needed; SDK: ok", event(chunk_of({"role": None, "content": None})), GOOD, pieces=8),
    stream(
        "role-in-a-chunk-of-its-own-at-the-end",
        "not needed; SDK: ok",
        words(),
        event(chunk_of({"role": "assistant"})),
        END,
        pieces=8,
    ),
    stream(
        "fields-of-vllm-and-sglang",
        "not needed; SDK: ok",
        *(
            event(
                chunk_of(
                    choice={"delta": {"content": p}, "stop_reason": None, "matched_stop": None, "token_ids": [1]},
                    prompt_token_ids=None,
                    kv_transfer_params=None,
                )
            )
            for p in PIECES
        ),
        END,
        pieces=8,
    ),
    stream(
        "obfuscation",
        "OpenAI pads its chunks; SDK: ok",
        *(event(chunk_of({"content": p}, obfuscation="x" * (9 - n))) for n, p in enumerate(PIECES)),
        END,
        pieces=8,
    ),
    stream(
        "timings-of-llama-cpp",
        "not needed; SDK: ok",
        words(),
        event(chunk_of(finish="stop", timings={"predicted_n": 8, "predicted_ms": 1.5})),
        DONE,
        pieces=8,
    ),
    stream(
        "citations-and-search-results",
        "not needed; SDK: ok",
        *(event(chunk_of({"content": p}, citations=["a"], search_results=[{}])) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "a-thousand-unknown-keys",
        "not needed; SDK: ok",
        event(chunk_of({f"k{n}": n for n in range(1000)})),
        GOOD,
        pieces=8,
    ),
    stream(
        "ping-events",
        "no choices, nothing in it",
        b'event: ping\ndata: {"type": "ping"}\n\n',
        words(),
        b"event: ping\ndata: {}\n\n",
        END,
        pieces=8,
    ),
    stream(
        "heartbeat-that-is-no-json",
        "the SDK decodes the data of every event; SDK: raises",
        words(),
        b"event: heartbeat\ndata: ok\n\n",
        END,
        outcome=CORRUPT,
        says="ok",
    ),
    stream(
        "content-before-a-late-role",
        "order has no meaning; SDK: ok",
        words(*PIECES[:4]),
        event(chunk_of({"role": "assistant"})),
        words(*PIECES[4:]),
        END,
        pieces=8,
    ),
    stream(
        "choices-of-index-one-only",
        "only index 0 counts",
        *(with_choice(index=1, delta={"content": p}) for p in PIECES),
        with_choice(index=1, finish_reason="stop"),
        DONE,
        outcome=TRUNCATED,
        text="",
    ),
    stream(
        "four-choices",
        "only index 0 counts",
        *(with_choice(index=n, delta={"content": p if n == 0 else "zz"}) for p in PIECES for n in (3, 0, 2, 1)),
        *(with_choice(index=n, finish_reason="stop") for n in (2, 0, 3, 1)),
        DONE,
        pieces=8,
        terminals=1,
    ),
    stream(
        "tool-call-of-the-second-choice",
        "only index 0 counts",
        words(),
        with_choice(
            index=1, delta={"tool_calls": [{"index": 0, "id": "a", "function": {"name": "bash", "arguments": "{"}}]}
        ),
        END,
        tools=(),
        pieces=8,
    ),
    stream(
        "messages-api-events",
        "another API's stream has no finish reason here",
        event({"type": "message_start", "message": {}}, name="message_start"),
        event({"type": "message_stop"}, name="message_stop"),
        outcome=TRUNCATED,
    ),
    stream(
        "message-without-error",
        "not an error object, and no finish reason",
        event({"code": "Throttling", "message": "slow down"}),
        outcome=TRUNCATED,
    ),
]

FINISHES = [
    stream("finish-in-two-chunks", "two finish reasons are counted; SDK: ok", words(), STOP, STOP, DONE, terminals=2),
    stream(
        "finish-with-the-usage-again",
        "two finish reasons are counted; SDK: ok",
        words(),
        STOP,
        event(chunk_of(finish="stop", usage=USAGE)),
        DONE,
        terminals=2,
        tokens=8,
    ),
    stream(
        "two-finish-reasons-that-differ",
        "counted, the last one stands; SDK: ok",
        words(),
        STOP,
        event(chunk_of(finish="length")),
        DONE,
        terminals=2,
        finish="length",
    ),
    stream("finish-twice-without-done", "no [DONE] is no terminal event", words(), STOP, STOP, terminals=0),
    stream(
        "finish-then-empty",
        "an empty one is none",
        words(),
        STOP,
        event(chunk_of(finish="")),
        DONE,
        terminals=1,
        finish="stop",
    ),
    stream(
        "finish-an-object",
        "cannot be used, so none",
        words(),
        event(chunk_of(finish={"type": "stop"})),
        DONE,
        outcome=TRUNCATED,
        says="finish reason",
    ),
    stream("finish-false", "cannot be used, so none", words(), event(chunk_of(finish=False)), DONE, outcome=TRUNCATED),
    stream(
        "finish-beside-the-choices",
        "not the place of it; SDK: no finish reason",
        words(),
        event(chunk_of(finish_reason="stop")),
        DONE,
        outcome=TRUNCATED,
    ),
    stream(
        "finish-in-the-delta",
        "not the place of it; SDK: no finish reason",
        words(),
        event(chunk_of({"finish_reason": "stop"})),
        DONE,
        outcome=TRUNCATED,
    ),
    stream(
        "finish-tool-calls-without-a-call",
        "a finish reason; SDK: ok",
        words(),
        event(chunk_of(finish="tool_calls")),
        DONE,
        tools=(),
        finish="tool_calls",
    ),
    stream(
        "finish-content-filter-after-words",
        "the model's own end; SDK: ok",
        words(),
        event(chunk_of(finish="content_filter")),
        DONE,
        finish="content_filter",
    ),
    stream(
        "finish-in-capitals", "any reason counts; SDK: ok", words(), event(chunk_of(finish="STOP")), DONE, finish="STOP"
    ),
    stream(
        "finish-with-delta-missing",
        "not needed; SDK: ok",
        words(),
        event({"choices": [{"index": 0, "finish_reason": "stop"}]}),
        DONE,
        terminals=1,
    ),
    stream(
        "finish-and-no-words-and-no-done",
        "a finish reason and a complete message; SDK: ok",
        STOP,
        text="",
        pieces=0,
        terminals=0,
    ),
    stream("only-usage", "no finish reason", event(chunk_of(choices=[], usage=USAGE)), DONE, outcome=TRUNCATED),
]


@pytest.mark.parametrize("dialect", [*CHUNKS, *FINISHES], ids=lambda dialect: dialect.name)
def test_an_edge_of_a_chunk_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
