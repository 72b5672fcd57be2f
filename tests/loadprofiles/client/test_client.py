"""Logical calls against a scripted server: times, retries, keys, encoding."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from itertools import pairwise

import gevent
import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from loadprofiles.sessions.session import Message, ToolCall
from reports.shared.attributes import Outcome
from reports.shared.errors import UserError
from tests.support.client_calls import PIECES, TOKENS, a_call, play
from tests.support.scripted_server import (
    HEAD,
    ScriptedServer,
    anthropic_events,
    framed,
    openai_chunk,
    openai_events,
    streamed,
    whole,
)


def test_a_good_stream_is_ok_and_has_correct_times() -> None:
    record = play(streamed(openai_events(PIECES), gap_s=0.01))
    assert (record.outcome, record.attempts, record.output_tokens) == (Outcome.OK, 1, 20)
    assert record.result().text == TOKENS
    assert record.ttft_s is not None
    assert 0.01 <= record.ttft_s < record.e2e_s  # the role chunk arrived one gap before the first token
    assert record.e2e_s >= 0.2
    assert record.tpot_s == pytest.approx((record.e2e_s - record.ttft_s) / 19)


def test_each_chunk_is_seen_when_it_arrives_without_buffering() -> None:
    record = play(streamed(openai_events(PIECES), gap_s=0.02))
    assert record.answer is not None
    times = record.answer.chunk_times_s
    assert len(times) == 20
    assert len(set(times)) >= 15  # a busy machine may read two at once; a buffer of 1,024 bytes would give 5
    assert times[-1] - times[0] >= 0.3
    assert record.answer.max_gap_s == max(later - earlier for earlier, later in pairwise(times))


def test_a_good_stream_of_the_messages_api_is_ok() -> None:
    record = play(streamed(anthropic_events(PIECES)), api="anthropic")
    assert (record.outcome, record.output_tokens, record.result().input_tokens) == (Outcome.OK, 20, 100)


@pytest.mark.parametrize(
    ("api", "key", "expected"),
    [
        ("openai", None, ["Authorization: Bearer sk-brownout-acme.batch", "Authorization: Bearer sk-brownout-globex"]),
        ("anthropic", None, ["x-api-key: sk-brownout-acme.batch", "x-api-key: sk-brownout-globex"]),
        ("openai", "sk-mine", ["Authorization: Bearer sk-mine"] * 2),
        ("anthropic", "sk-mine", ["x-api-key: sk-mine"] * 2),
    ],
)
def test_the_api_key_names_the_tenant_unless_the_user_configured_one(
    api: str, key: str | None, expected: list[str]
) -> None:
    events = (openai_events if api == "openai" else anthropic_events)(PIECES)
    with ScriptedServer(streamed(events)) as server:
        client = Client(ClientOptions(server.url, "m", api=api, retries="none", api_key=key))
        for context in (AgentContext("s-1", "main", "acme", 7, "batch"), AgentContext("s-1", "main", "globex", 7)):
            assert client.call(a_call(), context, now_s()).ok
        client.close()
    sent = [
        line
        for request in server.requests
        for line in request.head.splitlines()
        if line.lower().startswith(("authorization:", "x-api-key:"))
    ]
    assert sent == expected


def test_a_session_without_a_tenant_sends_no_key() -> None:
    with ScriptedServer(streamed(openai_events(PIECES))) as server:
        client = Client(ClientOptions(server.url, "m", retries="none"))
        assert client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s()).ok
        client.close()
    assert "authorization" not in server.requests[0].head.lower()


def test_retries_are_part_of_the_call_and_of_its_ttft() -> None:
    record = play(whole(503), streamed(openai_events(PIECES)), retries="openai-sdk")
    assert (record.outcome, record.attempts) == (Outcome.OK, 2)
    assert record.ttft_s is not None
    assert 0.37 <= record.ttft_s < 5.0


def test_a_stream_is_not_retried_after_its_headers() -> None:
    record = play(streamed(openai_events(PIECES)[:3], end="rst"), retries="openai-sdk")
    assert (record.outcome, record.attempts) == (Outcome.TRUNCATED, 1)


def test_a_killed_call_closes_its_connection() -> None:
    gone = threading.Event()

    def watch(sock: socket.socket) -> None:
        sock.sendall(HEAD + framed(openai_chunk("abcd")))
        if not sock.recv(1):
            gone.set()

    with ScriptedServer(watch) as server:
        client = Client(ClientOptions(server.url, "m", retries="none"))
        context = AgentContext("s-1", "main", None, 7)
        job = gevent.spawn(client.call, a_call(), context, now_s())
        with gevent.Timeout(5):
            while not server.requests or context.last_byte_s == 0:
                gevent.sleep(0.01)
        job.kill()
        assert gone.wait(5)


def test_a_conversation_is_sent_in_the_format_of_each_api() -> None:
    asked = Message("assistant", "Let me", (ToolCall("call_0", "bash", '{"input":"ls \\"x\\""}'),))
    messages = (
        Message("system", "You are."),
        Message("user", "Hëllo"),
        asked,
        Message("tool", "out", tool_call_id="call_0"),
    )
    for api, events in (("openai", openai_events(PIECES)), ("anthropic", anthropic_events(PIECES))):
        with ScriptedServer(streamed(events)) as server:
            client = Client(ClientOptions(server.url, "mod", api=api, api_key="sk-1"))
            context = AgentContext("s-1", "main", None, 7)
            client.call(a_call(messages=messages[:2], tools=True), context, now_s())
            client.call(a_call(messages=messages), context, now_s())
            first, second = (request.json for request in server.requests)
            head = server.requests[0].head
        assert (first["model"], first["max_tokens"], first["stream"]) == ("mod", 20, True)
        if api == "openai":
            assert head.startswith("POST /v1/chat/completions HTTP/1.1")
            assert "Authorization: Bearer sk-1" in head
            assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "tool"]
            assert second["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"input":"ls \\"x\\""}'
            assert second["messages"][3]["tool_call_id"] == "call_0"
            assert (first["tool_choice"], second["tool_choice"], first["user"]) == ("auto", "none", "s-1")
            assert second["messages"][:2] == first["messages"]
        else:
            assert head.startswith("POST /v1/messages HTTP/1.1")
            assert "x-api-key: sk-1" in head
            assert second["system"] == [{"type": "text", "text": "You are."}]
            assert second["messages"][1]["content"][1]["input"] == {"input": 'ls "x"'}
            assert second["messages"][2]["content"][0]["tool_use_id"] == "call_0"
            assert (first["tool_choice"]["type"], second["metadata"]["user_id"]) == ("auto", "s-1")
        assert "traceparent" not in head.lower()


def test_messages_are_encoded_once_and_again_after_a_compaction() -> None:
    client = Client(ClientOptions("http://127.0.0.1:1", "m"))
    context = AgentContext("s-1", "main", None, 7)
    first, second, third = (Message("user", text) for text in ("one", "two", "three"))
    client._encoded(a_call(messages=(first, second)), context)
    before = context.encoded[0][1]
    assert client._encoded(a_call(messages=(first, second, third)), context)[0] is before
    compacted = client._encoded(a_call(messages=(third, second)), context)
    assert [b"three" in compacted[0], b"two" in compacted[1], len(compacted)] == [True, True, 2]


def test_unknown_names_are_rejected_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="openai-sdk"):
        Client(ClientOptions("http://127.0.0.1:1", "m", retries="openai"))
    with pytest.raises(UserError, match="anthropic, openai"):
        Client(ClientOptions("http://127.0.0.1:1", "m", api="gemini"))
    with pytest.raises(UserError, match="cannot be sent: it has a line break at character 10"):
        Client(ClientOptions("http://127.0.0.1:1", "m", api_key="sk\r\nx: y"))


def test_a_call_in_flight_is_sent_again_when_another_one_has_learned_the_field() -> None:
    said = b"x" * 300 + b" Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    refused = whole(400, b'{"error":{"message":"%b"}}' % said)

    def refuse_late(sock: socket.socket) -> None:
        client._fields = replace(client._fields, max_tokens_field="max_completion_tokens")  # as another call learned
        refused(sock)

    with ScriptedServer(refuse_late, streamed(openai_events(PIECES))) as server:
        client = Client(ClientOptions(server.url, "m", retries="none"))
        assert client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s()).ok
        assert ["max_tokens" in request.json for request in server.requests] == [True, False]
        client.close()


def test_a_key_in_a_header_replaces_the_key_that_names_the_tenant() -> None:
    with ScriptedServer(streamed(openai_events(PIECES))) as server:
        client = Client(ClientOptions(server.url, "m", headers=(("api-key", "azure-1234567"),)))
        client.call(a_call(), AgentContext("s-1", "main", "acme", 7), now_s())
        client.close()
        assert "api-key: azure-1234567" in server.requests[0].head
        assert "authorization" not in server.requests[0].head.lower()
