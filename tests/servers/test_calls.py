"""One call, and a conversation, of the load's client with each real server."""

from __future__ import annotations

import pytest

from loadprofiles.sessions.session import Message, ToolCall
from reports.shared.attributes import Outcome
from tests.servers.real_server import RealServer
from tests.servers.server_calls import TOKENS, Conversation, calling

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
each_form = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@each_form
def test_an_answer_is_ok_and_has_the_length_that_was_asked_for(server: RealServer, stream: bool) -> None:
    with calling(server.url, server.model) as client:
        record = Conversation(client).ask(stream=stream)
    assert (record.outcome, record.status, record.message) == (Outcome.OK, 200, "")
    answer = record.answer
    assert answer is not None
    assert answer.finish == "length"
    assert len(answer.text) == TOKENS  # the models write one letter a token


@each_form
def test_no_claim_is_made_about_the_tokens_of_a_real_model(server: RealServer, stream: bool) -> None:
    with calling(server.url, server.model) as client:
        judgement = Conversation(client).ask(stream=stream).judgement
    assert judgement is not None
    assert (judgement.integrity, judgement.tokens_lost, judgement.silently_truncated) == (None, None, None)


def test_a_stream_arrives_in_pieces_and_is_timed(server: RealServer) -> None:
    with calling(server.url, server.model) as client:
        record = Conversation(client).ask()
    assert record.answer is not None
    assert len(record.answer.chunk_times_s) == TOKENS
    assert record.ttft_s is not None
    assert 0 < record.ttft_s < record.e2e_s


def test_terminal_events_and_token_counts_are_those_that_the_server_sends(server: RealServer) -> None:
    with calling(server.url, server.model) as client:
        streamed = Conversation(client).ask()
        whole = Conversation(client).ask(stream=False)
    assert streamed.answer is not None
    assert whole.answer is not None
    assert streamed.answer.terminals == int(server.kind.terminal)
    assert streamed.tokens_estimated == (not server.kind.usage)
    assert (streamed.output_tokens, whole.output_tokens) == (TOKENS, TOKENS)
    assert whole.answer.usage.output_tokens == TOKENS
    assert not whole.tokens_estimated


@each_form
def test_a_conversation_grows_and_every_answer_is_ok(server: RealServer, stream: bool) -> None:
    with calling(server.url, server.model) as client:
        talk = Conversation(client)
        records = [talk.ask(f"Question {number}", stream=stream) for number in range(4)]
    assert [record.outcome for record in records] == [Outcome.OK] * 4
    assert [message.role for message in talk.messages] == ["system", *["user", "assistant"] * 4]
    prompts = [record.answer.usage.input_tokens for record in records if record.answer is not None]
    if server.kind.usage or not stream:
        assert prompts == sorted({count for count in prompts if count is not None})


def test_a_conversation_with_a_tool_call_and_its_result_is_accepted(server: RealServer) -> None:
    call = ToolCall("call-1", "bash", '{"input":"ls"}')
    with calling(server.url, server.model) as client:
        talk = Conversation(client)
        talk.messages += [
            Message("user", "Which files are there?"),
            Message("assistant", "I look.", (call,)),  # llama_cpp.server refuses a null content beside a tool call
            Message("tool", "none", tool_call_id="call-1"),
        ]
        record = talk.ask("And now?")
    assert (record.outcome, record.message) == (Outcome.OK, "")


def test_the_fields_that_a_load_sends_are_accepted_also_without_the_optional_ones(server: RealServer) -> None:
    with calling(server.url, server.model, tools=False, stream_options=False) as client:
        assert Conversation(client).ask().outcome is Outcome.OK
