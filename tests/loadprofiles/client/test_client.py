"""The client against a server that fails in every way a target can: outcomes, times, integrity, connections."""

from __future__ import annotations

import socket
import threading
import time
from itertools import pairwise
from typing import Any

import gevent
import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import parse_endpoint
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from loadprofiles.sessions.session import Call, Message, ToolCall
from reports.shared.attributes import Outcome
from reports.shared.errors import UserError
from reports.shared.tokens import Marker, marker_text, token_stream
from tests.support.scripted_server import (
    HEAD,
    Script,
    ScriptedServer,
    anthropic_events,
    framed,
    openai_chunk,
    openai_events,
    silent,
    streamed,
    whole,
)

MARKER = Marker("s-1", "main", 0)
TOKENS = token_stream(MARKER.key, 20)
PIECES = [TOKENS[i : i + 4] for i in range(0, 80, 4)]


def a_call(*, stream: bool = True, messages: tuple[Message, ...] = (), tools: bool = False, turn: int = 0) -> Call:
    given = messages or (Message("system", "You are."), Message("user", "Hello " + marker_text(MARKER)))
    return Call("main", turn, given, 20, tools, Marker("s-1", "main", turn), stream)


def play(
    *scripts: Script, stream: bool = True, retries: str = "none", api: str = "openai", **options: Any
) -> CallRecord:
    with ScriptedServer(*scripts) as server:
        client = Client(ClientOptions(server.url, "m", api=api, retries=retries, provable=True, **options))
        try:
            return client.call(a_call(stream=stream), AgentContext("s-1", "main", None, 7), now_s())
        finally:
            client.close()


def test_a_good_stream_is_ok_with_true_times() -> None:
    record = play(streamed(openai_events(PIECES), gap_s=0.01))
    assert (record.outcome, record.attempts, record.output_tokens) == (Outcome.OK, 1, 20)
    assert record.result().text == TOKENS
    assert record.ttft_s is not None
    assert 0.01 <= record.ttft_s < record.e2e_s  # the role chunk came a gap before the first token
    assert record.e2e_s >= 0.2
    assert record.tpot_s == pytest.approx((record.e2e_s - record.ttft_s) / 19)


def test_each_chunk_is_seen_when_it_comes_not_when_a_buffer_is_full() -> None:
    record = play(streamed(openai_events(PIECES), gap_s=0.02))
    assert record.answer is not None
    times = record.answer.chunk_times_s
    assert len(times) == 20
    assert len(set(times)) >= 15  # a busy machine may see two at once; a buffer of 1,024 bytes would give five groups
    assert times[-1] - times[0] >= 0.3
    assert record.answer.max_gap_s == max(later - earlier for earlier, later in pairwise(times))


def test_crlf_streams_are_read_as_they_come() -> None:
    events = [event.replace(b"\n", b"\r\n") for event in openai_events(PIECES)]
    record = play(streamed(events, gap_s=0.005))
    assert record.outcome is Outcome.OK
    assert record.ttft_s is not None
    assert record.ttft_s < record.e2e_s / 2


def test_messages_api_stream_is_ok() -> None:
    record = play(streamed(anthropic_events(PIECES)), api="anthropic")
    assert (record.outcome, record.output_tokens, record.result().input_tokens) == (Outcome.OK, 20, 100)


@pytest.mark.parametrize("end", ["fin", "rst"])
def test_a_stream_cut_half_way_is_truncated_and_keeps_what_had_arrived(end: str) -> None:
    record = play(streamed(openai_events(PIECES)[:11], end=end))
    assert record.outcome is Outcome.TRUNCATED
    assert record.judgement is not None
    assert record.judgement.integrity is not None
    assert record.judgement.integrity.received == 10
    assert (record.judgement.tokens_lost, record.judgement.silently_truncated) == (0, False)


def test_a_stream_cut_after_the_end_event_is_not_complete() -> None:
    assert play(streamed(openai_events(PIECES), end="fin")).outcome is Outcome.TRUNCATED


def test_a_stream_ended_cleanly_half_way_is_silently_truncated() -> None:
    record = play(streamed(openai_events(PIECES)[:11]))
    assert record.outcome is Outcome.TRUNCATED
    assert record.judgement is not None
    assert (record.judgement.tokens_lost, record.judgement.silently_truncated) == (10, True)


def test_an_answer_that_says_it_is_shorter_is_whole_at_that_length() -> None:
    header = "X-Brownout-Degraded: max_tokens=12; model=small\r\n"
    record = play(streamed(openai_events(PIECES[:12]), header=header))
    assert (record.outcome, record.output_tokens) == (Outcome.OK, 12)
    assert record.judgement is not None
    assert (record.judgement.tokens_lost, record.judgement.silently_truncated) == (0, False)


@pytest.mark.parametrize(("sent", "outcome"), [(11, Outcome.TRUNCATED), (13, Outcome.CORRUPT)])
def test_an_answer_that_is_not_as_short_as_it_says_is_bad(sent: int, outcome: Outcome) -> None:
    record = play(streamed(openai_events(PIECES[:sent]), header="X-Brownout-Degraded: max_tokens=12\r\n"))
    assert record.outcome is outcome


def test_another_model_alone_shortens_nothing() -> None:
    record = play(streamed(openai_events(PIECES), header="X-Brownout-Degraded: model=small\r\n"))
    assert record.outcome is Outcome.OK


def test_no_listener_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = Client(ClientOptions(f"http://127.0.0.1:{port}", "m", retries="none"))
    record = client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s())
    assert (record.outcome, record.attempts, record.ttft_s) == (Outcome.REFUSED, 1, None)


@pytest.mark.parametrize(
    ("api", "key", "expected"),
    [
        ("openai", None, ["Authorization: Bearer sk-brownout-acme.batch", "Authorization: Bearer sk-brownout-globex"]),
        ("anthropic", None, ["x-api-key: sk-brownout-acme.batch", "x-api-key: sk-brownout-globex"]),
        ("openai", "sk-mine", ["Authorization: Bearer sk-mine"] * 2),
        ("anthropic", "sk-mine", ["x-api-key: sk-mine"] * 2),
    ],
)
def test_the_key_names_the_tenant_of_the_session_unless_the_user_has_one(
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


def test_a_session_of_nobody_carries_no_key() -> None:
    with ScriptedServer(streamed(openai_events(PIECES))) as server:
        client = Client(ClientOptions(server.url, "m", retries="none"))
        assert client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s()).ok
        client.close()
    assert "authorization" not in server.requests[0].head.lower()


def closed_at_once(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def half_a_head(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("script", [closed_at_once, half_a_head])
def test_a_connection_that_dies_before_headers_is_reset(script: Script) -> None:
    assert play(script).outcome is Outcome.RESET


def test_what_is_not_http_is_corrupt() -> None:
    assert play(lambda sock: sock.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")).outcome is Outcome.CORRUPT


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (429, Outcome.RATE_LIMITED),
        (400, Outcome.HTTP_4XX),
        (408, Outcome.HTTP_4XX),
        (500, Outcome.HTTP_5XX),
        (503, Outcome.HTTP_5XX),
    ],
)
def test_statuses_have_their_outcomes(status: int, outcome: Outcome) -> None:
    assert play(whole(status)).outcome is outcome


def test_redirects_are_never_followed() -> None:
    with ScriptedServer(whole(200)) as elsewhere:
        record = play(whole(307, headers=[("Location", elsewhere.url + "/v1/chat/completions")]))
        assert record.outcome is Outcome.HTTP_4XX
        assert elsewhere.requests == []


def test_silence_before_headers_is_a_timeout() -> None:
    record = play(silent, timeout_s=0.3)
    assert record.outcome is Outcome.TIMEOUT
    assert 0.3 <= record.e2e_s < 5


def test_silence_in_the_stream_is_stalled_past_the_idle_limit() -> None:
    record = play(streamed(openai_events(PIECES)[:11], end="hang"), idle_s=0.3)
    assert record.outcome is Outcome.STALLED
    assert record.output_tokens == 10


def test_a_stream_that_trickles_past_the_total_limit_is_a_timeout() -> None:
    record = play(streamed(openai_events(PIECES), gap_s=0.05), timeout_s=0.4, idle_s=0.3)
    assert record.outcome is Outcome.TIMEOUT


def test_an_error_event_is_seen_inside_a_good_status() -> None:
    events = [*openai_events(PIECES)[:5], b'data: {"error":{"message":"dead"}}\n\n']
    assert play(streamed(events)).outcome is Outcome.ERROR_EVENT


def test_tokens_twice_or_of_another_answer_are_corrupt() -> None:
    twice = play(streamed(openai_events([*PIECES[:12], *PIECES[10:]])))
    assert twice.outcome is Outcome.CORRUPT
    assert twice.judgement is not None
    assert twice.judgement.integrity is not None
    assert twice.judgement.integrity.duplicated == 2
    other = token_stream("x/main#0", 20)
    assert play(streamed(openai_events([other[i : i + 4] for i in range(0, 80, 4)]))).outcome is Outcome.CORRUPT


def body_of(text: str) -> bytes:
    return b'{"choices":[{"message":{"content":"%b"},"finish_reason":"stop"}]}' % text.encode()


def test_answers_that_do_not_stream() -> None:
    record = play(whole(200, body_of(TOKENS)), stream=False)
    assert (record.outcome, record.output_tokens) == (Outcome.OK, 20)
    assert record.ttft_s == pytest.approx(record.e2e_s, abs=0.05)
    short = play(whole(200, body_of(TOKENS[:40])), stream=False)
    assert short.outcome is Outcome.TRUNCATED
    assert short.judgement is not None
    assert short.judgement.silently_truncated
    assert play(whole(200, b"<html>"), stream=False).outcome is Outcome.CORRUPT


def test_a_body_cut_in_the_middle_is_truncated_and_tried_again_by_the_sdk() -> None:
    def cut(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        sock.shutdown(socket.SHUT_RDWR)

    assert play(cut, stream=False).outcome is Outcome.TRUNCATED
    record = play(cut, whole(200, body_of(TOKENS)), stream=False, retries="openai-sdk")
    assert (record.outcome, record.attempts) == (Outcome.OK, 2)


def test_retries_are_inside_the_call_and_its_ttft() -> None:
    record = play(whole(503), streamed(openai_events(PIECES)), retries="openai-sdk")
    assert (record.outcome, record.attempts) == (Outcome.OK, 2)
    assert record.ttft_s is not None
    assert 0.37 <= record.ttft_s < 5.0


def test_a_stream_is_not_tried_again_once_headers_have_come() -> None:
    record = play(streamed(openai_events(PIECES)[:3], end="rst"), retries="openai-sdk")
    assert (record.outcome, record.attempts) == (Outcome.TRUNCATED, 1)


def test_an_early_answer_to_a_long_body_is_read_though_the_connection_breaks() -> None:
    """A gateway that refuses a 600 KB conversation answers, and closes, before it has read it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        sock, _ = listener.accept()
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 429 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
        sock.close()

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    client = Client(ClientOptions(f"http://127.0.0.1:{listener.getsockname()[1]}", "m", retries="none"))
    call = a_call(messages=(Message("user", "x" * 600_000),))
    record = client.call(call, AgentContext("s-1", "main", None, 7), now_s())
    assert record.outcome is Outcome.RATE_LIMITED
    thread.join(5)
    listener.close()


def test_interim_answers_do_not_count() -> None:
    def run(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        streamed(openai_events(PIECES))(sock)

    assert play(run).outcome is Outcome.OK


def test_connections_are_kept_and_many_calls_run_side_by_side() -> None:
    with ScriptedServer(streamed(openai_events(PIECES), gap_s=0.005)) as server:
        client = Client(ClientOptions(server.url, "m", provable=True))

        def one() -> CallRecord:
            return client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s())

        for _ in range(3):
            assert one().ok
        assert server.connections == 1
        jobs = [gevent.spawn(one) for _ in range(30)]
        gevent.joinall(jobs)
        assert all(job.get().ok for job in jobs)
        assert 1 < server.connections <= 30
        client.close()


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used() -> None:
    def once(sock: socket.socket) -> None:
        streamed(openai_events(PIECES))(sock)
        sock.shutdown(socket.SHUT_RDWR)

    with ScriptedServer(once) as server:
        client = Client(ClientOptions(server.url, "m", retries="none"))
        for _ in range(2):
            assert client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s()).ok
            deadline = time.monotonic() + 5
            while client._connections._idle[0].alive() and time.monotonic() < deadline:
                gevent.sleep(0.005)
        assert server.connections == 2


def test_a_killed_call_is_abandoned_and_hangs_up() -> None:
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


def test_a_conversation_is_sent_as_the_apis_want_it() -> None:
    asked = Message("assistant", "Let me", ToolCall("call_0", "bash", '{"input":"ls \\"x\\""}'))
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


def test_messages_are_encoded_once_and_anew_after_a_compaction() -> None:
    client = Client(ClientOptions("http://127.0.0.1:1", "m"))
    context = AgentContext("s-1", "main", None, 7)
    first, second, third = (Message("user", text) for text in ("one", "two", "three"))
    client._encoded(a_call(messages=(first, second)), context)
    before = context.encoded[0][1]
    assert client._encoded(a_call(messages=(first, second, third)), context)[0] is before
    compacted = client._encoded(a_call(messages=(third, second)), context)
    assert [b"three" in compacted[0], b"two" in compacted[1], len(compacted)] == [True, True, 2]


def test_keys_are_not_shown() -> None:
    assert "sk-very-secret" not in repr(ClientOptions("http://127.0.0.1:1", "m", api_key="sk-very-secret"))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80", "http://localhost:1/v1", "http://[::1]:8000/", "http://127.9.9.9"]
)
def test_loopback_is_allowed_at_once(url: str) -> None:
    assert parse_endpoint(url, allow_remote=False).base_path == "/v1"


@pytest.mark.parametrize("url", ["http://10.0.0.1", "https://api.example.com/v1", "http://localhost.example.com"])
def test_other_hosts_only_if_the_caller_says_so(url: str) -> None:
    with pytest.raises(UserError, match="--yes-i-may"):
        parse_endpoint(url, allow_remote=False)
    assert parse_endpoint(url, allow_remote=True).host in url


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x", "http://u:p@127.0.0.1"]
)
def test_what_is_not_a_url_is_refused(url: str) -> None:
    with pytest.raises(UserError):
        parse_endpoint(url, allow_remote=True)


def test_unknown_names_are_refused_with_what_there_is() -> None:
    with pytest.raises(UserError, match="openai-sdk"):
        Client(ClientOptions("http://127.0.0.1:1", "m", retries="openai"))
    with pytest.raises(UserError, match="anthropic, openai"):
        Client(ClientOptions("http://127.0.0.1:1", "m", api="gemini"))
    with pytest.raises(UserError, match="not allowed in a header"):
        Client(ClientOptions("http://127.0.0.1:1", "m", api_key="sk\r\nx: y"))
