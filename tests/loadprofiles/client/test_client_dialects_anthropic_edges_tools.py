"""Dialects of the Messages API at its edges: tool calls, errors, whole bodies.

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
    event,
    message,
    stream,
    text_block,
    tool,
    tools_of,
    whole,
)
from tests.support.dialects.case import Dialect
from tests.support.dialects.http import response
from tests.support.dialects.openai import DONE, PIECES, TEXT
from tests.support.dialects.openai import event as data_event
from tests.support.dialects.play import play, problems

LS, PWD = '{"input": "ls"}', '{"input": "pwd"}'
WORDS = text_block()
DELTA = END[: -len(STOP)]
TRUNCATED, CORRUPT, ERROR = Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT


TOOLS = [
    tools_of("tool-input-blank-text", "no arguments", tool(0, LS, input=""), tools=(LS,)),
    tools_of(
        "tool-input-missing",
        "none at the start",
        block(0, {"type": "tool_use", "id": "t", "name": "bash"}, {"type": "input_json_delta", "partial_json": LS}),
        tools=(LS,),
    ),
    tools_of(
        "tool-piece-null",
        "nothing in it; SDK: ok",
        event(
            "content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "bash", "input": {}}
        ),
        delta(type="input_json_delta", partial_json=None),
        delta(type="input_json_delta", partial_json=LS),
        tools=(LS,),
    ),
    tools_of(
        "tool-id-and-name-null",
        "the arguments are there; SDK: ok",
        tool(0, LS, id=None, name=None),
        tools=(LS,),
        pieces=2,
    ),
    tools_of(
        "tool-without-block-stop",
        "not needed; SDK: ok",
        tool(0, LS).split(b"event: content_block_stop")[0],
        tools=(LS,),
    ),
    tools_of(
        "three-tools-and-texts-between",
        "in their order; SDK: ok",
        tool(0, LS),
        text_block(1, PIECES[:4]),
        tool(2, PWD),
        text_block(3, PIECES[4:]),
        tool(4),
        text=TEXT,
        tools=(LS, PWD, ""),
    ),
    tools_of(
        "tool-one-character-a-piece", "pieces have no meaning; SDK: ok", tool(0, *LS), tools=(LS,), pieces=len(LS) + 1
    ),
    tools_of(
        "thinking-then-tool",
        "received before it; SDK: ok",
        block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm."}),
        tool(1, LS),
        tools=(LS,),
        pieces=3,
    ),
    tools_of(
        "tool-arguments-cut", "the call cannot be run", tool(0, LS[:-2]), outcome=CORRUPT, text=None, says="not JSON"
    ),
    tools_of(
        "tool-among-server-tools",
        "the target runs the others",
        tool(0, '{"q": 1}', kind="server_tool_use"),
        block(1, {"type": "web_search_tool_result", "tool_use_id": "toolu_0", "content": []}),
        tool(2, LS),
        tools=(LS,),
    ),
    stream(
        "server-tool-with-broken-arguments",
        "not ours to run",
        START,
        tool(0, '{"q', kind="server_tool_use"),
        text_block(1),
        END,
        tools=(),
    ),
    stream(
        "tool-with-stop-reason-end-turn",
        "any stop reason counts; SDK: ok",
        START,
        tool(0, LS),
        END,
        text="",
        tools=(LS,),
    ),
    stream("tool-without-stop-reason", "no stop reason", START, tool(0, LS), STOP, outcome=TRUNCATED, tools=(LS,)),
]

ERRORS = [
    stream(
        "error-kind-only",
        "the API's error event; SDK: raises",
        START,
        event("error", error={"type": "overloaded_error"}),
        outcome=ERROR,
        says="overloaded_error",
        pieces=0,
    ),
    stream(
        "error-then-message-stop",
        "the error counts; SDK: raises",
        START,
        text_block(0, ("a",)),
        event("error", error={"message": "lost"}),
        END,
        outcome=ERROR,
        says="lost",
        text="a",
    ),
    stream(
        "error-of-chat-completions",
        "an error object of the other API",
        START,
        data_event({"error": {"message": "lost", "code": 500}}),
        outcome=ERROR,
        says="lost",
    ),
    stream(
        "error-of-vllm",
        "an error object of a server",
        START,
        data_event({"object": "error", "message": "lost", "code": 500}),
        DONE,
        outcome=ERROR,
        says="lost",
    ),
    stream(
        "error-with-crlf",
        "the same rules of lines",
        START,
        event("error", error={"message": "lost"}).replace(b"\n", b"\r\n"),
        outcome=ERROR,
        says="lost",
    ),
    stream(
        "error-with-a-request-id",
        "unknown fields; SDK: raises",
        START,
        event("error", error={"type": "api_error", "message": "lost"}, request_id="req_9"),
        outcome=ERROR,
        says="lost",
    ),
    Dialect(
        name="error-for-a-stream",
        why="an error with a good status",
        sends=(response("200 OK", b'{"type": "error", "error": {"type": "api_error", "message": "lost"}}'),),
        api="anthropic",
        outcome=ERROR,
        says="lost",
    ),
]

WHOLE = [
    whole(
        "whole-thinking-only",
        "received",
        message([{"type": "thinking", "thinking": "Hm."}], "max_tokens"),
        text="",
        pieces=1,
    ),
    whole(
        "whole-server-tool",
        "the target runs it",
        message(
            [{"type": "server_tool_use", "id": "s", "name": "web", "input": {"q": 1}}, {"type": "text", "text": TEXT}]
        ),
        tools=(),
    ),
    whole(
        "whole-tool-input-empty",
        "a tool without parameters",
        message([{"type": "tool_use", "id": "t", "name": "bash", "input": {}}], "tool_use"),
        text="",
        tools=("",),
        pieces=1,
    ),
    whole("whole-text-null", "nothing in it", message([{"type": "text", "text": None}]), text="", pieces=0),
    whole("whole-unknown-fields", "not needed", message(container=None, context_management={}, mood=[1])),
    whole("whole-usage-strings", "readable", message(usage={"input_tokens": "31", "output_tokens": "8"}), tokens=8),
    whole(
        "whole-chat-completion",
        "another API's body",
        {"object": "chat.completion", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]},
        outcome=CORRUPT,
    ),
]


@pytest.mark.parametrize("dialect", [*TOOLS, *ERRORS, *WHOLE], ids=lambda dialect: dialect.name)
def test_an_edge_of_blocks_and_errors_is_judged_right(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []
