from __future__ import annotations

import json

import pytest

from loadprofiles.client.anthropic_wire import AnthropicWire
from loadprofiles.client.wire import CorruptAnswerError, Delta, Usage
from loadprofiles.sessions.session import Message, ToolCall
from tests.support.client_calls import a_call


def test_system_messages_go_into_their_own_field() -> None:
    call = a_call()
    wire = AnthropicWire()
    body = json.loads(wire.encode_body(call, [wire.encode_message(one) for one in call.messages], "m", "s-1"))
    assert body["system"] == [{"type": "text", "text": "You are."}]
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_tool_arguments_that_are_not_an_object_are_wrapped_in_one() -> None:
    message = Message("assistant", "", ToolCall("call_0", "bash", "not json"))
    (block,) = json.loads(AnthropicWire().encode_message(message))["content"]
    assert block["input"] == {"input": "not json"}


def test_input_tokens_include_cached_ones() -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 5}
    delta = AnthropicWire().decode_event(
        "message_delta", json.dumps({"type": "message_delta", "usage": usage}).encode()
    )
    assert delta.usage == Usage(95, 80, None)


def test_an_error_event_may_be_plain_text_and_other_events_may_not() -> None:
    assert AnthropicWire().decode_event("error", b"no capacity") == Delta(error="no capacity")
    with pytest.raises(CorruptAnswerError, match="is not an event of the Messages API"):
        AnthropicWire().decode_event("message", b"no capacity")
