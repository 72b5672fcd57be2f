"""Dialects of the Messages API: stop reasons, token counts, errors in a stream, whole bodies."""

from __future__ import annotations

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.anthropic import (
    END,
    START,
    STOP,
    end_of,
    event,
    message,
    start,
    stream,
    text_block,
    whole,
)
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import TEXT
from tests.support.dialects.openai import event as data_event
from tests.support.dialects.play import play, problems

TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'


WORDS = text_block()


ENDS = [
    stream(
        "stop-reason-null-then-set",
        "",
        START,
        WORDS,
        event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 3}),
        END,
        tokens=8,
        terminals=1,
    ),
    stream("stop-reason-null", "cut", START, WORDS, end_of(None), outcome=TRUNCATED, says="finish reason"),
    stream("stop-reason-empty", "cut", START, WORDS, end_of(""), outcome=TRUNCATED, says="finish reason"),
    stream("stop-reason-missing", "cut", START, WORDS, event("message_delta", delta={}), STOP, outcome=TRUNCATED),
    stream("stop-reason-error", "the server gave up", START, WORDS, end_of("error"), outcome=ERROR, says='"error"'),
    stream("stop-reason-abort", "the server gave up", START, WORDS, end_of("abort"), outcome=ERROR, says='"abort"'),
    stream("stop-reason-of-its-own", "any reason counts", START, WORDS, end_of("pause_turn"), finish="pause_turn"),
    stream("stop-reason-refusal", "the model's own end", START, end_of("refusal"), text=""),
    stream("no-message-stop", "the stop reason is enough", START, WORDS, END[: -len(STOP)], terminals=0),
    stream("no-message-delta", "cut", START, WORDS, STOP, outcome=TRUNCATED, terminals=0),
    stream("message-stop-twice", "counted", START, WORDS, END, STOP, terminals=2),
    stream(
        "message-delta-twice",
        "the last one counts",
        START,
        WORDS,
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}),
        END,
        tokens=8,
        finish="end_turn",
    ),
]

COUNTS = [
    stream(
        "usage-only-at-start",
        "the count there is a placeholder",
        START,
        WORDS,
        event("message_delta", delta={"stop_reason": "end_turn"}),
        STOP,
        estimated=True,
        tokens=9,
    ),
    *(
        stream(f"usage-{name}", why, START, WORDS, end_of(usage=usage), estimated=estimated, tokens=tokens)
        for name, why, usage, estimated, tokens in (
            ("null", "none", {"output_tokens": None}, True, 9),
            ("fraction", "the SDK takes it", {"output_tokens": 8.0}, False, 8),
            ("text", "readable", {"output_tokens": "8"}, False, 8),
            ("negative", "no count", {"output_tokens": -8}, True, 9),
            ("a-list", "no count", {"output_tokens": [8]}, True, 9),
            ("impossible", "no count", {"output_tokens": 10**30}, True, 9),
            ("text-for-all", "none", "eight", True, 9),
        )
    ),
    stream(
        "usage-null-at-start", "none", start(usage={"input_tokens": None, "output_tokens": None}), WORDS, END, tokens=8
    ),
    stream("usage-missing-at-start", "none", event("message_start", message={"id": "m"}), WORDS, END, tokens=8),
]

ERRORS = [
    *(
        stream(
            f"error-{name}",
            "an error in the stream",
            START,
            text_block(0, ("a",)),
            data,
            outcome=ERROR,
            says=says,
            text="a",
        )
        for name, data, says in (
            (
                "event",
                event("error", error={"type": "overloaded_error", "message": "Too many at once"}),
                "Too many at once (overloaded_error)",
            ),
            ("without-event-line", event("error", name="", error={"type": "api_error", "message": "broken"}), "broken"),
            ("without-type", data_event({"error": {"message": "broken"}}), "broken"),
            ("only-by-name", data_event({"message": "broken"}, name="error"), "broken"),
            ("in-text", data_event("the worker died", name="error"), "the worker died"),
            ("empty", data_event("", name="error"), "error"),
            ("empty-object", data_event({}, name="error"), "error"),
            ("text-in-error", event("error", error="broken"), "broken"),
            ("null", event("error", error=None), "error"),
            ("detail", event("error", detail="broken"), "broken"),
            ("after-stop-reason", end_of()[: -len(STOP)] + event("error", error={"message": "late"}), "late"),
        )
    ),
    stream(
        "error-first",
        "before anything else",
        event("error", error={"type": "overloaded_error", "message": "Busy"}),
        outcome=ERROR,
        says="Busy",
    ),
    stream(
        "error-null-in-a-good-event",
        "no error",
        data_event(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}, "error": None}
        ),
        END,
        pieces=1,
    ),
]

WHOLE = [
    whole("whole", "", message(), tokens=8, terminals=1, pieces=1),
    whole(
        "whole-two-tools",
        "",
        message(
            [
                {"type": "tool_use", "id": "a", "name": "bash", "input": {"input": "ls"}},
                {"type": "text", "text": TEXT},
                {"type": "tool_use", "id": "b", "name": "bash", "input": {}},
            ],
            "tool_use",
        ),
        tools=('{"input":"ls"}', ""),
    ),
    whole(
        "whole-two-tools-with-one-id",
        "each block is a call",
        message([{"type": "tool_use", "id": "a", "name": "bash", "input": {"n": n}} for n in (1, 2)], "tool_use"),
        text="",
        tools=('{"n":1}', '{"n":2}'),
    ),
    whole(
        "whole-thinking-only", "", message([{"type": "thinking", "thinking": "Hm."}], "max_tokens"), text="", pieces=1
    ),
    whole("whole-redacted", "", message([{"type": "redacted_thinking", "data": "z"}]), text="", pieces=1),
    whole(
        "whole-server-tool",
        "",
        message([{"type": "server_tool_use", "id": "s", "name": "x", "input": {}}, {"type": "text", "text": TEXT}]),
        tools=(),
    ),
    whole("whole-unknown-blocks", "", message([{"type": "sculpture"}, None, 7, {"type": "text", "text": TEXT}])),
    whole("whole-empty", "a stop reason", message([]), text="", pieces=0),
    whole("whole-stop-reason-null", "cut", message(reason=None), outcome=TRUNCATED, says="finish reason"),
    whole("whole-stop-reason-empty", "cut", message(reason=""), outcome=TRUNCATED),
    whole("whole-stop-reason-error", "the server gave up", message(reason="error"), outcome=ERROR, says='"error"'),
    whole("whole-content-null", "no message", message() | {"content": None}, outcome=CORRUPT),
    whole("whole-content-text", "the API says blocks", message(TEXT), outcome=CORRUPT),
    whole(
        "whole-error",
        "an error with a good status",
        {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}},
        outcome=ERROR,
        says="Busy",
    ),
    whole("whole-usage-missing", "estimated", message(usage=None), estimated=True),
]


@pytest.mark.parametrize("dialect", [*ENDS, *COUNTS, *ERRORS, *WHOLE], ids=lambda dialect: dialect.name)
def test_an_end_of_the_messages_api_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
