"""Dialects of the Messages API: blocks, thinking, tool calls."""

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
    start,
    stream,
    text_block,
    tool,
)
from tests.support.dialects.case import Dialect
from tests.support.dialects.openai import PIECES, TEXT
from tests.support.dialects.openai import event as data_event
from tests.support.dialects.play import play, problems

TRUNCATED, CORRUPT = Outcome.TRUNCATED, Outcome.CORRUPT

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'

BOTH = (LS, PWD)

PING = event("ping")

WORDS = text_block()


def delta(index: int | None = 0, **fields: Any) -> bytes:
    """A `content_block_delta` with these fields in its delta."""
    place: dict[str, Any] = {} if index is None else {"index": index}
    return event("content_block_delta", **place, delta=fields)


def tools_of(name: str, why: str, *events: bytes, **expected: Any) -> Dialect:
    """A stream that ends with the stop reason `tool_use`."""
    return stream(name, why, START, *events, end_of("tool_use"), **({"text": ""} | expected))


BLOCKS = [
    stream("plain", "the usual form", START, PING, WORDS, END, tokens=8, terminals=1, pieces=8, estimated=False),
    stream(
        "ping-anywhere",
        "the API says so",
        PING,
        START,
        PING,
        *(PING + delta(type="text_delta", text=p) for p in PIECES),
        PING,
        END,
        PING,
        pieces=8,
    ),
    stream("ping-without-json", "not read", START, data_event("pong", name="ping"), WORDS, END, pieces=8),
    stream(
        "unknown-event",
        "the API says that new ones may come",
        START,
        data_event("<>", name="content_block_mood"),
        WORDS,
        END,
        pieces=8,
    ),
    stream("unknown-type-in-a-known-event", "", START, event("mood", name="content_block_delta"), WORDS, END, pieces=8),
    stream(
        "no-event-lines",
        "the type is in the data",
        *(part + b"\n\n" for line in (START + WORDS + END).split(b"\n\n") for part in line.split(b"\n")[1:]),
        tokens=8,
        pieces=8,
    ),
    stream(
        "no-types",
        "the name is in the event line",
        (START + WORDS + END)
        .replace(b'"type": "content_block_delta", ', b"")
        .replace(b'"type": "message_delta", ', b"")
        .replace(b'"type": "message_stop"', b""),
        pieces=8,
    ),
    stream(
        "text-at-block-start",
        "received too",
        START,
        block(0, {"type": "text", "text": PIECES[0]}, *({"type": "text_delta", "text": p} for p in PIECES[1:])),
        END,
        pieces=8,
    ),
    stream(
        "several-text-blocks", "one text", START, text_block(0, PIECES[:4]), text_block(1, PIECES[4:]), END, pieces=8
    ),
    stream(
        "no-block-start",
        "the delta is enough",
        START,
        *(delta(type="text_delta", text=p) for p in PIECES),
        END,
        pieces=8,
    ),
    stream("no-block-stop", "not needed", START, WORDS[: WORDS.rindex(b"event:")], END, pieces=8),
    stream("no-message-start", "not needed", WORDS, END, pieces=8),
    stream("index-missing", "", START, *(delta(None, type="text_delta", text=p) for p in PIECES), END, pieces=8),
    stream(
        "delta-null", "nothing in it", START, event("content_block_delta", index=0, delta=None), WORDS, END, pieces=8
    ),
    stream("text-null", "nothing in it", START, delta(type="text_delta", text=None), WORDS, END, pieces=8),
    stream(
        "block-null",
        "nothing in it",
        START,
        event("content_block_start", index=0, content_block=None),
        WORDS,
        END,
        pieces=8,
    ),
    stream("message-null", "nothing in it", event("message_start", message=None), WORDS, END, pieces=8),
    stream(
        "message-null-at-the-end",
        "no stop reason",
        START,
        WORDS,
        event("message_delta", delta=None),
        STOP,
        outcome=TRUNCATED,
    ),
    stream(
        "unknown-block",
        "new ones may come",
        START,
        block(0, {"type": "sculpture", "clay": {}}, {"type": "clay_delta", "clay": "x"}),
        text_block(1),
        END,
        pieces=8,
    ),
    stream(
        "citations",
        "no piece of the answer",
        START,
        block(
            0,
            {"type": "text", "text": "", "citations": []},
            {"type": "citations_delta", "citation": {"cited_text": "x"}},
            *({"type": "text_delta", "text": p} for p in PIECES),
        ),
        END,
        pieces=8,
    ),
    stream(
        "content-in-message-start",
        "the SDK begins with it",
        start(content=[{"type": "text", "text": TEXT}]),
        END,
        pieces=1,
    ),
    stream("empty-answer", "a stop reason, and nothing else", START, END, text="", pieces=0, terminals=1),
    stream("nulls-everywhere", "", start(id=None, model=None, role=None, stop_sequence=None), WORDS, END, pieces=8),
]

THINKING = [
    stream(
        "thinking",
        "received before the text",
        START,
        block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm. "},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        text_block(1),
        END,
        pieces=9,
    ),
    stream(
        "thinking-at-block-start",
        "",
        START,
        block(0, {"type": "thinking", "thinking": "Hm."}),
        text_block(1),
        END,
        pieces=9,
    ),
    stream(
        "thinking-only",
        "cut by its limit",
        START,
        block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm. "}),
        end_of("max_tokens"),
        text="",
        pieces=1,
        tokens=8,
    ),
    stream(
        "redacted-thinking",
        "received, without text for us",
        START,
        block(0, {"type": "redacted_thinking", "data": "zzz"}),
        text_block(1),
        END,
        pieces=9,
    ),
    stream(
        "redacted-thinking-only",
        "",
        START,
        block(0, {"type": "redacted_thinking", "data": "zzz"}),
        END,
        text="",
        pieces=1,
        tokens=8,
    ),
]

TOOLS = [
    tools_of("tool-in-pieces", "the usual form", tool(0, "", LS[:5], LS[5:]), tools=(LS,), pieces=3),
    tools_of("tool-after-text", "", WORDS, tool(1, LS), text=TEXT, tools=(LS,), pieces=10),
    tools_of("two-tools-and-text-between", "", tool(0, LS), text_block(1), tool(2, PWD), text=TEXT, tools=BOTH),
    tools_of(
        "two-tools-interleaved",
        "the index says which",
        *(
            event(
                "content_block_start",
                index=i,
                content_block={"type": "tool_use", "id": f"t{i}", "name": "bash", "input": {}},
            )
            for i in (0, 1)
        ),
        *(
            delta(i, type="input_json_delta", partial_json=part)
            for i, part in ((0, LS[:4]), (1, PWD[:4]), (0, LS[4:]), (1, PWD[4:]))
        ),
        tools=BOTH,
    ),
    tools_of(
        "two-tools-under-one-index", "a new block with a new id", tool(0, LS, id="a"), tool(0, PWD, id="b"), tools=BOTH
    ),
    tools_of(
        "two-tools-under-one-index-without-ids",
        "each block start begins a block",
        tool(0, LS, id=None),
        tool(0, PWD, id=None),
        tools=BOTH,
    ),
    tools_of("two-tools-with-one-id", "the index says which", tool(0, LS, id="a"), tool(1, PWD, id="a"), tools=BOTH),
    tools_of(
        "two-tools-without-indexes",
        "each block start begins a block",
        *(
            part.replace(b'"index": 0, ', b"").replace(b', "index": 0', b"")
            for part in (tool(0, LS, id="a"), tool(0, PWD, id="b"))
        ),
        tools=BOTH,
    ),
    tools_of("tool-without-arguments", "no pieces", tool(0), tools=("",), pieces=1),
    tools_of("tool-with-an-empty-piece", "no arguments", tool(0, ""), tools=("",), pieces=1),
    tools_of("tool-input-at-block-start", "all at once", tool(0, input={"input": "ls"}), tools=('{"input":"ls"}',)),
    tools_of(
        "tool-input-at-block-start-and-pieces",
        "the SDK takes the pieces",
        tool(0, LS, input={"input": "ls"}),
        tools=(LS,),
    ),
    tools_of("tool-input-null", "none", tool(0, LS, input=None), tools=(LS,)),
    tools_of(
        "tool-input-a-string",
        "the API says an object",
        tool(0, input="ls"),
        outcome=CORRUPT,
        text=None,
        says="a string",
    ),
    tools_of(
        "tool-input-with-a-lone-surrogate",
        "nothing raises",
        tool(0, input={"input": "X"}).replace(b'"X"', b'"\\ud800"'),
        tools=('{"input":"?"}',),
    ),
    tools_of(
        "tool-arguments-not-json", "the call cannot be run", tool(0, "ls"), outcome=CORRUPT, text=None, says="not JSON"
    ),
    tools_of(
        "tool-arguments-an-object",
        "not a piece of text",
        event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "bash"}),
        delta(0, type="input_json_delta", partial_json={"input": "ls"}),
        outcome=CORRUPT,
        text=None,
    ),
    stream(
        "tool-cut-by-its-limit",
        "the limit explains it",
        START,
        tool(0, LS[:5]),
        end_of("max_tokens"),
        text="",
        tools=(LS[:5],),
    ),
    tools_of(
        "server-tool",
        "the target runs it",
        tool(0, '{"q": "x"}', kind="server_tool_use", name="web_search"),
        block(1, {"type": "web_search_tool_result", "tool_use_id": "toolu_0", "content": []}),
        text_block(2),
        text=TEXT,
        tools=(),
    ),
    tools_of(
        "mcp-tool",
        "the target runs it",
        tool(0, '{"q": "x"}', kind="mcp_tool_use"),
        block(1, {"type": "mcp_tool_result", "content": []}),
        text_block(2),
        text=TEXT,
        tools=(),
    ),
    tools_of(
        "server-tool-with-a-string",
        "not ours to read",
        tool(0, kind="server_tool_use", input="x"),
        WORDS,
        text=TEXT,
        tools=(),
    ),
    tools_of(
        "server-tool-and-ours",
        "only ours is to answer",
        tool(0, '{"q": 1}', kind="server_tool_use"),
        tool(1, LS),
        tools=(LS,),
    ),
]


@pytest.mark.parametrize("dialect", [*BLOCKS, *THINKING, *TOOLS], ids=lambda dialect: dialect.name)
def test_a_dialect_of_the_messages_api_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
