"""Dialects of the Messages API: blocks, tool calls, stop reasons, token counts, errors in a stream."""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.anthropic import (
    END,
    START,
    STOP,
    block,
    end_of,
    event,
    message,
    start,
    stream,
    text_block,
    tool,
    whole,
)
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import PIECES, TEXT
from tests.support.dialects.openai import event as data_event
from tests.support.dialects.play import play, problems

TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT
LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'
BOTH = (LS, PWD)
PING = event("ping")
WORDS = text_block()


def delta(index: int | None = 0, **fields: Any) -> bytes:
    """A `content_block_delta` with these fields in its delta."""
    place = {} if index is None else {"index": index}
    return event("content_block_delta", **place, delta=fields)


def tools_of(name: str, why: str, *events: bytes, **expected: Any) -> Dialect:
    """A stream that ends with the stop reason `tool_use`."""
    return stream(name, why, START, *events, end_of("tool_use"), **({"text": ""} | expected))


BLOCKS = [
    stream("plain", "the usual form", START, PING, WORDS, END, tokens=8, terminals=1, pieces=8, estimated=False),
    stream("ping-anywhere", "the API says so", PING, START, PING, *(PING + delta(type="text_delta", text=p) for p in PIECES), PING, END, PING, pieces=8),
    stream("ping-without-json", "not read", START, data_event("pong", name="ping"), WORDS, END, pieces=8),
    stream("unknown-event", "the API says that new ones may come", START, data_event("<>", name="content_block_mood"), WORDS, END, pieces=8),
    stream("unknown-type-in-a-known-event", "", START, event("mood", name="content_block_delta"), WORDS, END, pieces=8),
    stream("no-event-lines", "the type is in the data", *(part + b"\n\n" for line in (START + WORDS + END).split(b"\n\n") for part in line.split(b"\n")[1:]), tokens=8, pieces=8),
    stream("no-types", "the name is in the event line", (START + WORDS + END).replace(b'"type": "content_block_delta", ', b"").replace(b'"type": "message_delta", ', b"").replace(b'"type": "message_stop"', b""), pieces=8),
    stream("text-at-block-start", "received too", START, block(0, {"type": "text", "text": PIECES[0]}, *({"type": "text_delta", "text": p} for p in PIECES[1:])), END, pieces=8),
    stream("several-text-blocks", "one text", START, text_block(0, PIECES[:4]), text_block(1, PIECES[4:]), END, pieces=8),
    stream("no-block-start", "the delta is enough", START, *(delta(type="text_delta", text=p) for p in PIECES), END, pieces=8),
    stream("no-block-stop", "not needed", START, WORDS[: WORDS.rindex(b"event:")], END, pieces=8),
    stream("no-message-start", "not needed", WORDS, END, pieces=8),
    stream("index-missing", "", START, *(delta(None, type="text_delta", text=p) for p in PIECES), END, pieces=8),
    stream("delta-null", "nothing in it", START, event("content_block_delta", index=0, delta=None), WORDS, END, pieces=8),
    stream("text-null", "nothing in it", START, delta(type="text_delta", text=None), WORDS, END, pieces=8),
    stream("block-null", "nothing in it", START, event("content_block_start", index=0, content_block=None), WORDS, END, pieces=8),
    stream("message-null", "nothing in it", event("message_start", message=None), WORDS, END, pieces=8),
    stream("message-null-at-the-end", "no stop reason", START, WORDS, event("message_delta", delta=None), STOP, outcome=TRUNCATED),
    stream("unknown-block", "new ones may come", START, block(0, {"type": "sculpture", "clay": {}}, {"type": "clay_delta", "clay": "x"}), text_block(1), END, pieces=8),
    stream("citations", "no piece of the answer", START, block(0, {"type": "text", "text": "", "citations": []}, {"type": "citations_delta", "citation": {"cited_text": "x"}}, *({"type": "text_delta", "text": p} for p in PIECES)), END, pieces=8),
    stream("content-in-message-start", "the SDK begins with it", start(content=[{"type": "text", "text": TEXT}]), END, pieces=1),
    stream("empty-answer", "a stop reason, and nothing else", START, END, text="", pieces=0, terminals=1),
    stream("nulls-everywhere", "", start(id=None, model=None, role=None, stop_sequence=None), WORDS, END, pieces=8),
]  # fmt: skip

THINKING = [
    stream("thinking", "received before the text", START, block(0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "Hm. "}, {"type": "signature_delta", "signature": "c2ln"}), text_block(1), END, pieces=9),
    stream("thinking-at-block-start", "", START, block(0, {"type": "thinking", "thinking": "Hm."}), text_block(1), END, pieces=9),
    stream("thinking-only", "cut by its limit", START, block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm. "}), end_of("max_tokens"), text="", pieces=1, tokens=8),
    stream("redacted-thinking", "received, without text for us", START, block(0, {"type": "redacted_thinking", "data": "zzz"}), text_block(1), END, pieces=9),
    stream("redacted-thinking-only", "", START, block(0, {"type": "redacted_thinking", "data": "zzz"}), END, text="", pieces=1, tokens=8),
]  # fmt: skip

TOOLS = [
    tools_of("tool-in-pieces", "the usual form", tool(0, "", LS[:5], LS[5:]), tools=(LS,), pieces=3),
    tools_of("tool-after-text", "", WORDS, tool(1, LS), text=TEXT, tools=(LS,), pieces=10),
    tools_of("two-tools-and-text-between", "", tool(0, LS), text_block(1), tool(2, PWD), text=TEXT, tools=BOTH),
    tools_of("two-tools-interleaved", "the index says which", *(event("content_block_start", index=i, content_block={"type": "tool_use", "id": f"t{i}", "name": "bash", "input": {}}) for i in (0, 1)), *(delta(i, type="input_json_delta", partial_json=part) for i, part in ((0, LS[:4]), (1, PWD[:4]), (0, LS[4:]), (1, PWD[4:]))), tools=BOTH),
    tools_of("two-tools-under-one-index", "a new block with a new id", tool(0, LS, id="a"), tool(0, PWD, id="b"), tools=BOTH),
    tools_of("two-tools-under-one-index-without-ids", "each block start begins a block", tool(0, LS, id=None), tool(0, PWD, id=None), tools=BOTH),
    tools_of("two-tools-with-one-id", "the index says which", tool(0, LS, id="a"), tool(1, PWD, id="a"), tools=BOTH),
    tools_of("two-tools-without-indexes", "each block start begins a block", *(part.replace(b'"index": 0, ', b"").replace(b', "index": 0', b"") for part in (tool(0, LS, id="a"), tool(0, PWD, id="b"))), tools=BOTH),
    tools_of("tool-without-arguments", "no pieces", tool(0), tools=("",), pieces=1),
    tools_of("tool-with-an-empty-piece", "no arguments", tool(0, ""), tools=("",), pieces=1),
    tools_of("tool-input-at-block-start", "all at once", tool(0, input={"input": "ls"}), tools=('{"input":"ls"}',)),
    tools_of("tool-input-at-block-start-and-pieces", "the SDK takes the pieces", tool(0, LS, input={"input": "ls"}), tools=(LS,)),
    tools_of("tool-input-null", "none", tool(0, LS, input=None), tools=(LS,)),
    tools_of("tool-input-a-string", "the API says an object", tool(0, input="ls"), outcome=CORRUPT, text=None, says="a string"),
    tools_of("tool-input-with-a-lone-surrogate", "nothing raises", tool(0, input={"input": "X"}).replace(b'"X"', b'"\\ud800"'), tools=('{"input":"?"}',)),
    tools_of("tool-arguments-not-json", "the call cannot be run", tool(0, "ls"), outcome=CORRUPT, text=None, says="not JSON"),
    tools_of("tool-arguments-an-object", "not a piece of text", event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "bash"}), delta(0, type="input_json_delta", partial_json={"input": "ls"}), outcome=CORRUPT, text=None),
    stream("tool-cut-by-its-limit", "the limit explains it", START, tool(0, LS[:5]), end_of("max_tokens"), text="", tools=(LS[:5],)),
    tools_of("server-tool", "the target runs it", tool(0, '{"q": "x"}', kind="server_tool_use", name="web_search"), block(1, {"type": "web_search_tool_result", "tool_use_id": "toolu_0", "content": []}), text_block(2), text=TEXT, tools=()),
    tools_of("mcp-tool", "the target runs it", tool(0, '{"q": "x"}', kind="mcp_tool_use"), block(1, {"type": "mcp_tool_result", "content": []}), text_block(2), text=TEXT, tools=()),
    tools_of("server-tool-with-a-string", "not ours to read", tool(0, kind="server_tool_use", input="x"), WORDS, text=TEXT, tools=()),
    tools_of("server-tool-and-ours", "only ours is to answer", tool(0, '{"q": 1}', kind="server_tool_use"), tool(1, LS), tools=(LS,)),
]  # fmt: skip

ENDS = [
    stream("stop-reason-null-then-set", "", START, WORDS, event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 3}), END, tokens=8, terminals=1),
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
    stream("message-delta-twice", "the last one counts", START, WORDS, event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}), END, tokens=8, finish="end_turn"),
]  # fmt: skip

COUNTS = [
    stream("usage-only-at-start", "the count there is a placeholder", START, WORDS, event("message_delta", delta={"stop_reason": "end_turn"}), STOP, estimated=True, tokens=9),
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
    stream("usage-null-at-start", "none", start(usage={"input_tokens": None, "output_tokens": None}), WORDS, END, tokens=8),
    stream("usage-missing-at-start", "none", event("message_start", message={"id": "m"}), WORDS, END, tokens=8),
]  # fmt: skip

ERRORS = [
    *(
        stream(f"error-{name}", "an error in the stream", START, text_block(0, ("a",)), data, outcome=ERROR, says=says, text="a")
        for name, data, says in (
            ("event", event("error", error={"type": "overloaded_error", "message": "Too many at once"}), "Too many at once (overloaded_error)"),
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
    stream("error-first", "before anything else", event("error", error={"type": "overloaded_error", "message": "Busy"}), outcome=ERROR, says="Busy"),
    stream("error-null-in-a-good-event", "no error", data_event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}, "error": None}), END, pieces=1),
]  # fmt: skip

WHOLE = [
    whole("whole", "", message(), tokens=8, terminals=1, pieces=1),
    whole("whole-two-tools", "", message([{"type": "tool_use", "id": "a", "name": "bash", "input": {"input": "ls"}}, {"type": "text", "text": TEXT}, {"type": "tool_use", "id": "b", "name": "bash", "input": {}}], "tool_use"), tools=('{"input":"ls"}', "")),
    whole("whole-two-tools-with-one-id", "each block is a call", message([{"type": "tool_use", "id": "a", "name": "bash", "input": {"n": n}} for n in (1, 2)], "tool_use"), text="", tools=('{"n":1}', '{"n":2}')),
    whole("whole-thinking-only", "", message([{"type": "thinking", "thinking": "Hm."}], "max_tokens"), text="", pieces=1),
    whole("whole-redacted", "", message([{"type": "redacted_thinking", "data": "z"}]), text="", pieces=1),
    whole("whole-server-tool", "", message([{"type": "server_tool_use", "id": "s", "name": "x", "input": {}}, {"type": "text", "text": TEXT}]), tools=()),
    whole("whole-unknown-blocks", "", message([{"type": "sculpture"}, None, 7, {"type": "text", "text": TEXT}])),
    whole("whole-empty", "a stop reason", message([]), text="", pieces=0),
    whole("whole-stop-reason-null", "cut", message(reason=None), outcome=TRUNCATED, says="finish reason"),
    whole("whole-stop-reason-empty", "cut", message(reason=""), outcome=TRUNCATED),
    whole("whole-stop-reason-error", "the server gave up", message(reason="error"), outcome=ERROR, says='"error"'),
    whole("whole-content-null", "no message", message() | {"content": None}, outcome=CORRUPT),
    whole("whole-content-text", "the API says blocks", message(TEXT), outcome=CORRUPT),
    whole("whole-error", "an error with a good status", {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, outcome=ERROR, says="Busy"),
    whole("whole-usage-missing", "estimated", message(usage=None), estimated=True),
]  # fmt: skip


@pytest.mark.parametrize(
    "dialect", [*BLOCKS, *THINKING, *TOOLS, *ENDS, *COUNTS, *ERRORS, *WHOLE], ids=lambda dialect: dialect.name
)
def test_a_dialect_of_the_messages_api_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
