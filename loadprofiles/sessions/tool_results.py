"""The messages that answer the tool calls of an assistant's message.

Strict servers refuse a conversation in which a tool call has no answer, or whose arguments are not the JSON text of an
object, or with an assistant's message that is empty. So a conversation is made of what was received, put right.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from loadprofiles.sessions.session import TOOL_NAME, CallResult, Message, ToolCall

__all__ = ["answer_message", "pending_calls", "tool_results"]

_NO_TEXT = "(no text)"
"""In place of an answer without text and tool calls, such as one that only contained reasoning."""
_OTHER_RESULT = "done"
"""The result of all tool calls of a message but the last."""


def answer_message(result: CallResult, turn: int) -> Message:
    """The assistant's message as received. Tool calls get our own ids, so that no run depends on a server's ids."""
    calls = tuple(
        ToolCall(f"call_{turn}" if number == 0 else f"call_{turn}_{number}", TOOL_NAME, _object_text(arguments))
        for number, arguments in enumerate(result.tool_arguments)
    )
    text = result.text if calls or result.text.strip() else _NO_TEXT
    return Message("assistant", text, calls)


def pending_calls(messages: Sequence[Message]) -> list[ToolCall]:
    """The tool calls at the end of a conversation that have no answer yet."""
    answered = set()
    for message in reversed(messages):
        if message.tool_call_id is None:
            return [call for call in message.tool_calls if call.id not in answered]
        answered.add(message.tool_call_id)
    return []


def tool_results(calls: Sequence[ToolCall], last: str) -> list[Message]:
    """One message for each call, in order. `last`: the text of the last one, which ends in the next call's marker."""
    texts = [_OTHER_RESULT] * (len(calls) - 1) + [last]
    return [Message("tool", text, tool_call_id=call.id) for call, text in zip(calls, texts, strict=True)]


def _object_text(arguments: str) -> str:
    """The arguments as the JSON text of an object: unchanged if they are one."""
    if not arguments.strip():
        return "{}"
    try:
        given = msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        given = arguments
    if isinstance(given, dict):
        return arguments
    return msgspec.json.encode({"input": arguments.encode("utf-8", "replace").decode()}).decode()
