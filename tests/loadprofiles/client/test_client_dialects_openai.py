"""Dialects of OpenAI chat completions: chunks, finish reasons, token counts."""

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
    TEXT,
    USAGE,
    chunk_of,
    event,
    stream,
    words,
)
from tests.support.dialects.play import play, problems

TRUNCATED, ERROR = Outcome.TRUNCATED, Outcome.ERROR_EVENT

ROLE = event(chunk_of({"role": "assistant", "content": ""}))


def choice(**fields: Any) -> bytes:
    """A chunk whose choice has these fields instead of the usual ones."""
    return event(chunk_of(choice=fields))


def with_usage(usage: Any, name: str, why: str, **expected: Any) -> Dialect:
    """A good stream whose last chunk has these token counts."""
    return stream(name, why, ROLE, words(), STOP, event(chunk_of(choices=[], usage=usage)), DONE, **expected)


CHUNKS = [
    stream("choices-null", "read as none", words(), event(chunk_of(choices=None)), END, tokens=8, pieces=8),
    stream("choices-missing", "read as none", words(), event({"id": "q"}), END, pieces=8),
    stream(
        "choices-empty",
        "Azure begins with it",
        event(chunk_of(choices=[], prompt_filter_results=[{"prompt_index": 0}])),
        words(),
        END,
        pieces=8,
    ),
    stream("choices-an-object", "cannot be used, so absent", event(chunk_of(choices={})), words(), END, pieces=8),
    stream("choices-of-null", "the same", event(chunk_of(choices=[None])), words(), END, pieces=8),
    stream("empty-object", "nothing in it", words(), event({}), END, pieces=8),
    stream(
        "delta-null",
        "nothing in it",
        words(),
        choice(delta=None),
        choice(delta=None, finish_reason="stop"),
        DONE,
        pieces=8,
    ),
    stream(
        "delta-missing",
        "Azure sends filter results in such chunks",
        words(),
        event({"choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]}),
        END,
        pieces=8,
    ),
    stream("delta-a-list", "cannot be used", words(), choice(delta=[]), END, pieces=8),
    stream(
        "message-for-delta",
        "some servers send it",
        *(event(chunk_of(choice={"delta": None, "message": {"content": p}})) for p in PIECES),
        END,
        pieces=8,
        tokens=8,
    ),
    stream(
        "message-and-delta",
        "the SDK reads the delta",
        words(),
        choice(delta={}, message={"content": TEXT}, finish_reason="stop"),
        DONE,
        pieces=8,
    ),
    stream(
        "text-of-completions",
        "the older API's field",
        *(event(chunk_of(choice={"text": p})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "content-parts",
        "Mistral sends lists",
        *(event(chunk_of({"content": [{"type": "text", "text": p}]})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "content-one-part",
        "a part without its list",
        *(event(chunk_of({"content": {"type": "text", "text": p}})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream("content-texts-in-a-list", "", *(event(chunk_of({"content": [p]})) for p in PIECES), END, pieces=8),
    stream(
        "content-null", "nothing in it", event(chunk_of({"role": "assistant", "content": None})), words(), END, pieces=8
    ),
    stream("content-a-number", "cannot be used, so absent", words(), event(chunk_of({"content": 5})), END, pieces=8),
    stream("content-empty-list", "nothing in it", words(), event(chunk_of({"content": []})), END, pieces=8),
    stream(
        "content-with-finish",
        "the last piece may have it",
        words(*PIECES[:-1]),
        event(chunk_of({"content": PIECES[-1]}, "stop")),
        DONE,
        pieces=8,
    ),
    stream(
        "one-chunk",
        "everything at once",
        event(chunk_of({"role": "assistant", "content": TEXT}, "stop", usage=USAGE)),
        DONE,
        pieces=1,
        tokens=8,
    ),
    stream(
        "role-in-every-chunk",
        "",
        *(event(chunk_of({"role": "assistant", "content": p})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream("refusal", "an answer too", words("No", "pe.", key="refusal"), END, text="Nope.", pieces=2),
    stream(
        "logprobs",
        "not needed",
        *(
            event(
                chunk_of(
                    {"content": p},
                    choice={
                        "logprobs": {"content": [{"token": p, "logprob": -0.1, "top_logprobs": []}]},
                        "delta": {"content": p},
                    },
                )
            )
            for p in PIECES
        ),
        END,
        pieces=8,
    ),
    stream(
        "unknown-fields",
        "not needed",
        *(event(chunk_of({"content": p, "mood": {"x": [1]}}, padding="zz", service_tier=None)) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "ids-null",
        "not needed",
        *(event(chunk_of({"content": p}, id=None, object=None, created=None, model=None)) for p in PIECES),
        END,
        pieces=8,
    ),
    stream(
        "index-missing",
        "one choice was asked for",
        *(event({"choices": [{"delta": {"content": p}}]}) for p in PIECES),
        event({"choices": [{"finish_reason": "stop"}]}),
        DONE,
        pieces=8,
    ),
    stream("index-null", "", *(choice(index=None, delta={"content": p}) for p in PIECES), END, pieces=8),
    stream("index-text", "", *(choice(index="0", delta={"content": p}) for p in PIECES), END, pieces=8),
    stream("index-fraction", "", *(choice(index=0.0, delta={"content": p}) for p in PIECES), END, pieces=8),
    stream(
        "two-choices-in-turn",
        "further choices were not asked for",
        *(choice(index=i, delta={"content": p if i == 0 else "Other."}) for p in PIECES for i in (0, 1)),
        END,
        pieces=8,
    ),
    stream(
        "two-choices-in-a-chunk",
        "",
        *(
            event(chunk_of(choices=[{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": p}}]))
            for p in PIECES
        ),
        END,
        pieces=8,
    ),
    stream(
        "second-choice-with-text-index",
        "",
        *(choice(index=i, delta={"content": p if i == "0" else "Other."}) for p in PIECES for i in ("0", "1")),
        END,
        pieces=8,
    ),
    stream(
        "finish-of-the-second-choice",
        "the first is not finished",
        words(),
        choice(index=1, finish_reason="stop"),
        DONE,
        outcome=TRUNCATED,
    ),
    stream(
        "error-of-the-second-choice", "not asked for", words(), choice(index=1, error={"message": "no"}), END, pieces=8
    ),
]

FINISHES = [
    stream("finish-length", "a limit is no failure", words(), event(chunk_of(finish="length")), DONE, finish="length"),
    stream(
        "finish-content-filter",
        "the model's own end",
        event(chunk_of(finish="content_filter")),
        DONE,
        text="",
        pieces=0,
    ),
    stream("finish-of-its-own", "any reason counts", words(), event(chunk_of(finish="eos_token")), DONE, terminals=1),
    stream(
        "finish-empty-in-every-chunk",
        "an empty one is none",
        *(event(chunk_of({"content": p}, "")) for p in PIECES),
        END,
        terminals=1,
    ),
    stream(
        "finish-empty-to-the-end",
        "an empty one is none",
        words(),
        event(chunk_of(finish="")),
        DONE,
        outcome=TRUNCATED,
        says="finish reason",
    ),
    stream("finish-null-to-the-end", "none", words(), event(chunk_of()), DONE, outcome=TRUNCATED, says="finish reason"),
    stream("finish-a-number", "cannot be used", words(), event(chunk_of(finish=1)), DONE, outcome=TRUNCATED),
    stream("finish-missing", "none", words(), DONE, outcome=TRUNCATED),
    stream("finish-then-null", "it was there", words(), STOP, event(chunk_of()), DONE, terminals=1),
    stream("finish-before-content", "the stream goes on to its end", STOP, words(), DONE, pieces=8),
    stream("finish-and-usage-without-choice", "", words(), STOP, event({"usage": USAGE}), DONE, tokens=8, terminals=1),
    stream(
        "finish-error",
        "the server gave up",
        words(),
        event(chunk_of(finish="error")),
        DONE,
        outcome=ERROR,
        says='"error"',
    ),
    stream(
        "finish-abort",
        "the server gave up",
        words(),
        event(chunk_of(finish="abort")),
        DONE,
        outcome=ERROR,
        says='"abort"',
    ),
    stream(
        "finish-error-with-content",
        "the piece was received",
        event(chunk_of({"content": "Ra"}, "error")),
        DONE,
        outcome=ERROR,
        pieces=1,
    ),
    stream("empty-answer", "a finish reason, and nothing else", ROLE, END, text="", pieces=0),
    stream("no-role", "not needed", words(), END, pieces=8),
]

COUNTS = [
    with_usage(USAGE, "usage", "", tokens=8, estimated=False),
    with_usage(None, "usage-null", "none", estimated=True, tokens=9),
    with_usage({}, "usage-empty", "none", estimated=True, tokens=9),
    with_usage([], "usage-a-list", "none", estimated=True),
    with_usage("many", "usage-text", "none", estimated=True),
    with_usage({"completion_tokens": None}, "usage-count-null", "none", estimated=True),
    with_usage({"completion_tokens": 8.0, "prompt_tokens": 31.0}, "usage-fractions", "the SDK takes them", tokens=8),
    with_usage({"completion_tokens": "8"}, "usage-count-in-text", "readable", tokens=8),
    with_usage({"completion_tokens": "eight"}, "usage-count-in-words", "not readable", estimated=True),
    with_usage({"completion_tokens": -1}, "usage-negative", "no count", estimated=True),
    with_usage({"completion_tokens": True}, "usage-boolean", "no count", estimated=True),
    with_usage({"completion_tokens": 0}, "usage-zero", "something was received", estimated=True),
    with_usage({"completion_tokens": 10**40}, "usage-impossible", "no count of tokens", estimated=True),
    with_usage({"completion_tokens": 1e300}, "usage-impossible-fraction", "no count of tokens", estimated=True),
    with_usage(
        USAGE | {"prompt_tokens_details": None, "completion_tokens_details": {"x": None}},
        "usage-details-null",
        "",
        tokens=8,
    ),
    stream(
        "usage-in-every-chunk",
        "the last one counts",
        *(event(chunk_of({"content": p}, usage={"completion_tokens": n})) for n, p in enumerate(PIECES, 1)),
        STOP,
        DONE,
        tokens=8,
        pieces=8,
    ),
    stream(
        "usage-null-in-every-chunk",
        "OpenAI sends it so",
        *(event(chunk_of({"content": p}, usage=None)) for p in PIECES),
        END,
        tokens=8,
        pieces=8,
    ),
    stream("usage-with-the-finish", "", words(), event(chunk_of(finish="stop", usage=USAGE)), DONE, tokens=8),
    stream(
        "usage-in-the-choice",
        "Moonshot sends it there",
        words(),
        choice(finish_reason="stop", usage=USAGE),
        DONE,
        tokens=8,
    ),
    stream("usage-before-finish", "", words(), event(chunk_of(choices=[], usage=USAGE)), STOP, DONE, tokens=8),
    stream("no-usage", "estimated", words(), STOP, DONE, estimated=True),
    stream(
        "no-usage-wide-characters",
        "a character a token",
        words(*"雨落在鐵皮屋頂上"),
        STOP,
        DONE,
        text="雨落在鐵皮屋頂上",
        tokens=8,
        estimated=True,
    ),
]


@pytest.mark.parametrize("dialect", [*CHUNKS, *FINISHES, *COUNTS], ids=lambda dialect: dialect.name)
def test_a_dialect_of_chat_completions_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
