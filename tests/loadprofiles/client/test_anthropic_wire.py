from __future__ import annotations

import json

import pytest

from loadprofiles.client.anthropic_wire import AnthropicWire
from loadprofiles.client.wire import CorruptAnswerError, Delta, RequestFields, Usage
from loadprofiles.sessions.session import Message, ToolCall
from tests.support.client_calls import a_call


def test_system_messages_go_into_their_own_field() -> None:
    call = a_call()
    wire = AnthropicWire()
    body = json.loads(
        wire.encode_body(call, [wire.encode_message(one) for one in call.messages], RequestFields("m"), "s-1")
    )
    assert body["system"] == [{"type": "text", "text": "You are."}]
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_all_tool_results_of_a_turn_are_in_one_user_message_and_roles_alternate() -> None:
    calls = (ToolCall("call_0", "bash", '{"input":"ls"}'), ToolCall("call_0_1", "bash", "{}"))
    messages = (
        Message("user", "Go."),
        Message("assistant", "", calls),
        Message("tool", "done", tool_call_id="call_0"),
        Message("tool", "out", tool_call_id="call_0_1"),
        Message("user", "Summarise."),
    )
    wire = AnthropicWire()
    encoded = [wire.encode_message(message) for message in messages]
    sent = json.loads(wire.encode_body(a_call(messages=messages), encoded, RequestFields("m"), "s-1"))["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert [block["input"] for block in sent[1]["content"]] == [{"input": "ls"}, {}]
    assert [block.get("tool_use_id") for block in sent[2]["content"]] == ["call_0", "call_0_1", None]


def test_input_tokens_include_cached_ones() -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 5}
    delta = AnthropicWire().decode_event(
        "message_delta", json.dumps({"type": "message_delta", "usage": usage}).encode()
    )
    assert delta is not None
    assert delta.usage == Usage(95, 80, None)


def test_an_error_event_may_be_plain_text_and_other_events_may_not() -> None:
    assert AnthropicWire().decode_event("error", b"no capacity") == Delta(error="no capacity")
    with pytest.raises(CorruptAnswerError, match="is not an event of the Messages API"):
        AnthropicWire().decode_event("message", b"no capacity")
