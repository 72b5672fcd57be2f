"""Dialects of OpenAI chat completions: reasoning in all its fields, and errors in a stream."""

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
    chunk_of,
    event,
    stream,
    words,
)
from tests.support.dialects.play import play, problems

ERROR = Outcome.ERROR_EVENT

ROLE = event(chunk_of({"role": "assistant", "content": ""}))


def choice(**fields: Any) -> bytes:
    """A chunk whose choice has these fields instead of the usual ones."""
    return event(chunk_of(choice=fields))


REASONING = [
    *(
        stream(
            f"reasoning-in-{key}", "received before the text", words("Hm, ", "well. ", key=key), words(), END, pieces=10
        )
        for key in ("reasoning_content", "reasoning", "thinking", "reasoning_text")
    ),
    stream(
        "reasoning-in-two-fields",
        "the same text twice",
        event(chunk_of({"reasoning": "abcd", "reasoning_content": "abcd"})),
        words(),
        STOP,
        DONE,
        pieces=9,
        tokens=10,
    ),
    stream(
        "reasoning-details",
        "OpenRouter",
        event(chunk_of({"reasoning_details": [{"type": "reasoning.text", "text": "Hm, well", "index": 0}]})),
        STOP,
        DONE,
        text="",
        pieces=1,
        tokens=2,
    ),
    stream(
        "reasoning-details-and-text",
        "counted once",
        event(chunk_of({"reasoning": "abcd", "reasoning_details": [{"type": "reasoning.text", "text": "abcd"}]})),
        STOP,
        DONE,
        text="",
        pieces=1,
        tokens=1,
    ),
    stream(
        "reasoning-encrypted",
        "received, without text for us",
        event(chunk_of({"reasoning_details": [{"type": "reasoning.encrypted", "data": "zzz"}]})),
        words(),
        END,
        pieces=9,
    ),
    stream(
        "reasoning-in-content-parts",
        "Mistral",
        event(chunk_of({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]})),
        words(),
        END,
        pieces=9,
    ),
    stream(
        "reasoning-an-object",
        "a part without its list",
        event(chunk_of({"reasoning": {"content": "Hm"}})),
        words(),
        END,
        pieces=9,
    ),
    stream(
        "reasoning-null",
        "nothing in it",
        event(chunk_of({"reasoning_content": None, "content": ""})),
        words(),
        END,
        pieces=8,
    ),
    stream(
        "reasoning-only",
        "cut by its limit",
        words("Hm, ", "well", key="reasoning_content"),
        event(chunk_of(finish="length")),
        DONE,
        text="",
        pieces=2,
        estimated=True,
        tokens=2,
    ),
    stream(
        "reasoning-and-content-in-a-chunk",
        "",
        event(chunk_of({"reasoning_content": "Hm", "content": TEXT})),
        STOP,
        DONE,
        pieces=1,
    ),
    stream(
        "audio",
        "received, without text for us",
        event(chunk_of({"audio": {"id": "a", "data": "UklG"}})),
        STOP,
        DONE,
        text="",
        pieces=1,
    ),
    stream(
        "images",
        "received, without text for us",
        event(chunk_of({"images": [{"type": "image_url", "image_url": {"url": "data:x"}}]})),
        STOP,
        DONE,
        text="",
        pieces=1,
    ),
]

ERRORS = [
    *(
        stream(
            f"error-{name}",
            "an error in place of a chunk",
            ROLE,
            words("a"),
            data,
            DONE,
            outcome=ERROR,
            says=says,
            text="a",
        )
        for name, data, says in (
            ("object", event({"error": {"message": "the worker died", "code": 500}}), "the worker died"),
            ("text", event({"error": "the worker died", "error_type": "generation"}), "the worker died"),
            ("true", event({"error": True}), "error"),
            ("type", event({"type": "error", "message": "the worker died"}), "the worker died"),
            ("errors", event({"errors": [{"message": "the worker died"}]}), "the worker died"),
            ("list-of-one", event([{"error": {"message": "the worker died"}}]), "the worker died"),
            ("list", event({"error": [{"msg": "first"}, {"msg": "second"}]}), "first; second"),
            ("with-a-choice", event(chunk_of(error={"message": "no more memory"})), "no more memory"),
            (
                "in-the-choice",
                choice(error={"message": "provider is gone", "code": 502}, finish_reason="error"),
                "provider is gone",
            ),
            (
                "as-an-object-of-the-kind",
                event({"object": "error", "message": "the worker died", "code": 500}),
                "the worker died",
            ),
            ("by-event-name", event({"message": "the worker died"}, name="error"), "the worker died"),
            ("by-event-name-in-text", event("the worker died", name="error"), "the worker died"),
            ("by-event-name-with-detail", event({"detail": "the worker died"}, name="error"), "the worker died"),
            ("by-event-name-empty-object", event({}, name="error"), "error"),
            ("by-event-name-empty-data", event("", name="error"), "error"),
            ("by-event-name-null", event("null", name="error"), "null"),
            ("with-a-key", event({"error": {"message": "key sk-live-abcdef123456 is used up"}}), "***"),
            ("in-lines", event({"error": {"message": "one\ntwo\r\n\tthree"}}), "one two three"),
            ("with-crlf", b'event: error\r\ndata: {"message": "worker died"}\r\n\r\n', "worker died"),
        )
    ),
    stream("error-null", "no error", *(event(chunk_of({"content": p}, error=None)) for p in PIECES), END, pieces=8),
    stream(
        "error-empty",
        "no error, as the SDK reads it",
        *(event(chunk_of({"content": p}, error={})) for p in PIECES),
        END,
        pieces=8,
    ),
    stream("error-false", "no error", *(event(chunk_of({"content": p}, error=False)) for p in PIECES), END, pieces=8),
    stream(
        "error-first",
        "before anything else",
        event({"error": {"message": "busy"}}),
        outcome=ERROR,
        says="busy",
        text="",
    ),
    stream(
        "error-after-finish",
        "before [DONE] the SDK raises it",
        words(),
        STOP,
        event({"error": {"message": "late"}}),
        DONE,
        outcome=ERROR,
        says="late",
    ),
    stream("error-with-a-long-message", "cut", event({"error": {"message": "word " * 400}}), outcome=ERROR, says="..."),
]


@pytest.mark.parametrize("dialect", [*REASONING, *ERRORS], ids=lambda dialect: dialect.name)
def test_reasoning_and_errors_of_chat_completions_are_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
