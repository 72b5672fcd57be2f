from __future__ import annotations

import json
from typing import get_args

import pytest

from loadprofiles.client.openai_wire import OpenAIWire
from loadprofiles.client.wire import CorruptAnswerError, Delta, RequestFields
from loadprofiles.sessions.session import Message, Role
from tests.support.client_calls import a_call


@pytest.mark.parametrize("role", get_args(Role))
def test_every_role_is_encoded(role: Role) -> None:
    assert json.loads(OpenAIWire().encode_message(Message(role, "hi"))) == {"role": role, "content": "hi"}


def test_a_request_that_is_not_streamed_asks_for_no_usage_chunk() -> None:
    call = a_call(stream=False)
    wire = OpenAIWire()
    body = json.loads(
        wire.encode_body(call, [wire.encode_message(one) for one in call.messages], RequestFields("m"), "s-1")
    )
    assert (body["stream"], "stream_options" in body, body["max_tokens"]) == (False, False, 20)


def test_an_error_event_may_be_plain_text_and_other_events_may_not() -> None:
    assert OpenAIWire().decode_event("error", b"no capacity") == Delta(error="no capacity")
    with pytest.raises(CorruptAnswerError, match="is not a chat completion chunk"):
        OpenAIWire().decode_event("message", b"no capacity")
