"""The outcome of one attempt against a server that fails in every way a target can."""

from __future__ import annotations

import socket
import threading

import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from loadprofiles.sessions.session import Message
from reports.shared.attributes import Outcome
from reports.shared.tokens import token_stream
from tests.support.client_calls import PIECES, TOKENS, a_call, play
from tests.support.scripted_server import Script, ScriptedServer, openai_events, silent, streamed, whole


def test_crlf_streams_are_read_as_they_arrive() -> None:
    events = [event.replace(b"\n", b"\r\n") for event in openai_events(PIECES)]
    record = play(streamed(events, gap_s=0.005))
    assert record.outcome is Outcome.OK
    assert record.ttft_s is not None
    assert record.ttft_s < record.e2e_s / 2


@pytest.mark.parametrize("end", ["fin", "rst"])
def test_a_stream_that_is_cut_is_truncated_and_keeps_the_received_tokens(end: str) -> None:
    record = play(streamed(openai_events(PIECES)[:11], end=end))
    assert record.outcome is Outcome.TRUNCATED
    assert record.judgement is not None
    assert record.judgement.integrity is not None
    assert record.judgement.integrity.received == 10
    assert (record.judgement.tokens_lost, record.judgement.silently_truncated) == (0, False)


def test_a_stream_that_is_cut_after_its_end_event_is_truncated() -> None:
    assert play(streamed(openai_events(PIECES), end="fin")).outcome is Outcome.TRUNCATED


def test_a_stream_that_ends_early_without_an_error_is_silently_truncated() -> None:
    record = play(streamed(openai_events(PIECES)[:11]))
    assert record.outcome is Outcome.TRUNCATED
    assert record.judgement is not None
    assert (record.judgement.tokens_lost, record.judgement.silently_truncated) == (10, True)


def test_a_degraded_answer_is_complete_at_its_reported_length() -> None:
    header = "X-Brownout-Degraded: max_tokens=12; model=small\r\n"
    record = play(streamed(openai_events(PIECES[:12]), header=header))
    assert (record.outcome, record.output_tokens) == (Outcome.OK, 12)
    assert record.judgement is not None
    assert (record.judgement.tokens_lost, record.judgement.silently_truncated) == (0, False)


@pytest.mark.parametrize(("sent", "outcome"), [(11, Outcome.TRUNCATED), (13, Outcome.CORRUPT)])
def test_a_degraded_answer_of_another_length_is_bad(sent: int, outcome: Outcome) -> None:
    record = play(streamed(openai_events(PIECES[:sent]), header="X-Brownout-Degraded: max_tokens=12\r\n"))
    assert record.outcome is outcome


def test_a_degraded_model_does_not_change_the_expected_length() -> None:
    record = play(streamed(openai_events(PIECES), header="X-Brownout-Degraded: model=small\r\n"))
    assert record.outcome is Outcome.OK


def test_without_a_listener_the_outcome_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = Client(ClientOptions(f"http://127.0.0.1:{port}", "m", retries="none"))
    record = client.call(a_call(), AgentContext("s-1", "main", None, 7), now_s())
    assert (record.outcome, record.attempts, record.ttft_s) == (Outcome.REFUSED, 1, None)


def closed_at_once(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def half_a_head(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("script", [closed_at_once, half_a_head])
def test_a_connection_that_closes_before_headers_is_reset(script: Script) -> None:
    assert play(script).outcome is Outcome.RESET


def test_a_response_that_is_not_http_is_corrupt() -> None:
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


def test_redirects_are_not_followed() -> None:
    with ScriptedServer(whole(200)) as elsewhere:
        record = play(whole(307, headers=[("Location", elsewhere.url + "/v1/chat/completions")]))
        assert record.outcome is Outcome.HTTP_4XX
        assert elsewhere.requests == []


def test_silence_before_headers_is_a_timeout() -> None:
    record = play(silent, timeout_s=0.3)
    assert record.outcome is Outcome.TIMEOUT
    assert 0.3 <= record.e2e_s < 5


def test_silence_in_a_stream_beyond_the_idle_limit_is_stalled() -> None:
    record = play(streamed(openai_events(PIECES)[:11], end="hang"), idle_s=0.3)
    assert record.outcome is Outcome.STALLED
    assert record.output_tokens == 10


def test_the_timeout_bounds_each_wait_and_not_the_whole_attempt() -> None:
    record = play(streamed(openai_events(PIECES), gap_s=0.05), timeout_s=0.4)
    assert record.outcome is Outcome.OK
    assert record.e2e_s > 0.4


def test_an_error_event_in_a_stream_with_status_200_is_an_error() -> None:
    events = [*openai_events(PIECES)[:5], b'data: {"error":{"message":"dead"}}\n\n']
    assert play(streamed(events)).outcome is Outcome.ERROR_EVENT


def test_duplicated_tokens_or_tokens_of_another_answer_are_corrupt() -> None:
    twice = play(streamed(openai_events([*PIECES[:12], *PIECES[10:]])))
    assert twice.outcome is Outcome.CORRUPT
    assert twice.judgement is not None
    assert twice.judgement.integrity is not None
    assert twice.judgement.integrity.duplicated == 2
    other = token_stream("x/main#0", 20)
    assert play(streamed(openai_events([other[i : i + 4] for i in range(0, 80, 4)]))).outcome is Outcome.CORRUPT


def body_of(text: str) -> bytes:
    return b'{"choices":[{"message":{"content":"%b"},"finish_reason":"stop"}]}' % text.encode()


def test_answers_that_are_not_streamed_have_their_outcomes() -> None:
    record = play(whole(200, body_of(TOKENS)), stream=False)
    assert (record.outcome, record.output_tokens) == (Outcome.OK, 20)
    assert record.ttft_s == pytest.approx(record.e2e_s, abs=0.05)
    short = play(whole(200, body_of(TOKENS[:40])), stream=False)
    assert short.outcome is Outcome.TRUNCATED
    assert short.judgement is not None
    assert short.judgement.silently_truncated
    assert play(whole(200, b"<html>"), stream=False).outcome is Outcome.CORRUPT


def test_a_body_that_is_cut_is_truncated_and_retried_by_the_sdk() -> None:
    def cut(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        sock.shutdown(socket.SHUT_RDWR)

    assert play(cut, stream=False).outcome is Outcome.TRUNCATED
    record = play(cut, whole(200, body_of(TOKENS)), stream=False, retries="openai-sdk")
    assert (record.outcome, record.attempts) == (Outcome.OK, 2)


def test_an_early_response_to_a_long_body_is_read_after_a_broken_send() -> None:
    """A gateway that rejects a 600 KB conversation responds and closes before it has read all of it."""
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


def test_interim_responses_are_ignored() -> None:
    def run(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        streamed(openai_events(PIECES))(sock)

    assert play(run).outcome is Outcome.OK
