"""Servers that answer in turn with difficult answers, and refuse any conversation that their API does not allow."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from itertools import cycle, groupby
from typing import Any

from tests.support.dialects import anthropic, openai
from tests.support.dialects.case import Step
from tests.support.dialects.http import chunked, response
from tests.support.dialects.play import script
from tests.support.scripted_server import ScriptedServer

__all__ = ["strict_server"]

ARGUMENTS = ('{"input": "ls"}', "", '{"n": [1, {"x": "\\u00e9"}]}', '"text"', "[1]", "null", '{"input": "\\ud800"}')
"""What models send as arguments: all of it is JSON, or nothing."""


def strict_server(api: str) -> tuple[ScriptedServer, list[str]]:
    """A server, and the list of what it refused, which fills up while it runs."""
    refused: list[str] = []
    answers = cycle(_openai_answers() if api == "openai" else _anthropic_answers())
    check = _openai_mistakes if api == "openai" else _anthropic_mistakes

    def run(sock: socket.socket) -> None:
        body = server.here.request.json
        mistakes = [*check(body["messages"]), *_system_mistakes(body)]
        if mistakes:
            refused.extend(mistakes)
            script(response("400 X", json.dumps({"error": {"message": mistakes[0]}}).encode()))(sock)
        else:
            script(next(answers))(sock)

    server = ScriptedServer(run)
    return server, refused


def _openai_answers() -> list[tuple[Step, ...]]:
    end = openai.event(openai.chunk_of(finish="tool_calls")) + openai.DONE
    calls = [openai.tool(index, text, id=f"c{index}", name="bash") for index, text in enumerate(ARGUMENTS)]
    return [
        chunked([calls[0], calls[1], end]),
        chunked([openai.words("Hm.", key="reasoning_content"), openai.STOP, openai.DONE]),
        chunked([openai.STOP, openai.DONE]),
        chunked([openai.words("Two: "), *calls[2:4], end]),
        chunked([openai.words(" \n"), openai.STOP, openai.DONE]),
        chunked([openai.words("One."), openai.STOP, openai.DONE]),
        chunked([openai.words("\n"), *calls[:7], end]),
        chunked(
            [openai.tool(0, '{"inp', id="c", name="bash"), openai.event(openai.chunk_of(finish="length")), openai.DONE]
        ),
        chunked([openai.tool(None, text, id=None, name="bash") for text in ARGUMENTS[:1] * 2] + [end]),
    ]


def _anthropic_answers() -> list[tuple[Step, ...]]:
    start, end = anthropic.START, anthropic.end_of("tool_use")
    thinking = anthropic.block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm."})
    calls = [anthropic.tool(index, text, id=f"c{index}") for index, text in enumerate(ARGUMENTS)]
    server_tool = anthropic.tool(8, "{}", kind="server_tool_use")
    return [
        chunked([start, calls[0], anthropic.text_block(1), calls[2], end]),
        chunked([start, thinking, anthropic.END]),
        chunked([start, anthropic.END]),
        chunked([start, thinking, anthropic.text_block(1), server_tool, calls[1], end]),
        chunked([start, anthropic.text_block(0, (" \n",)), anthropic.END]),
        chunked([start, anthropic.text_block(0, ("\n",)), *calls, end]),
        chunked([start, anthropic.tool(0, '{"inp'), anthropic.end_of("max_tokens")]),
        chunked([start, server_tool, anthropic.end_of("pause_turn")]),
        chunked([start, anthropic.text_block(), anthropic.END]),
    ]


def _system_mistakes(body: dict[str, Any]) -> Iterator[str]:
    for part in body.get("system", []):
        if part["type"] != "text" or not part["text"].strip():
            yield "the system prompt has an empty part"


def _openai_mistakes(messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    ids: set[str] = set()
    waiting: list[str] = []
    before = ""
    for place, message in enumerate(messages):
        role, content, calls = message["role"], message.get("content"), message.get("tool_calls") or []
        if waiting and role != "tool":
            yield f"message {place} comes before the results of {waiting}"
        if role == "system" and place:
            yield f"message {place} is a system message"
        if role == before and role != "tool":
            yield f"messages {place - 1} and {place} are both of the {role}"
        if not calls and not (isinstance(content, str) and content.strip()):
            yield f"message {place} of the {role} is empty"
        if role == "tool":
            if message["tool_call_id"] not in waiting:
                yield f"message {place} answers no tool call"
            else:
                waiting.remove(message["tool_call_id"])
        for call in calls:
            if call["id"] in ids:
                yield f"two tool calls have the id {call['id']}"
            if not isinstance(json.loads(call["function"]["arguments"]), dict):
                yield f"arguments are no object: {call['function']['arguments']}"
            ids.add(call["id"])
            waiting.append(call["id"])
        before = role
    if waiting or before not in ("user", "tool"):
        yield "the conversation ends without a message to answer"


def _anthropic_mistakes(messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    ids: set[str] = set()
    waiting: list[str] = []
    for place, message in enumerate(messages):
        if message["role"] != ("assistant" if place % 2 else "user"):
            yield f"message {place} is of the {message['role']}: roles must alternate"
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks:
            yield f"message {place} is empty"
        kinds = [kind for kind, _ in groupby(block["type"] for block in blocks)]
        if "tool_result" in kinds and kinds.index("tool_result"):
            yield f"message {place}: results of tools must come first"
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if results != waiting:
            yield f"message {place} has the results {results}, not {waiting}"
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            yield f"message {place} has an empty text"
        calls = [block for block in blocks if block["type"] == "tool_use"]
        waiting = [call["id"] for call in calls]
        for call in calls:
            if call["id"] in ids or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call["id"]):
                yield f"a tool call has the id {call['id']!r}"
            if not isinstance(call["input"], dict):
                yield f"an input is no object: {call['input']}"
        ids.update(waiting)
    if messages[-1]["role"] != "user":
        yield "the conversation ends without a message to answer"
