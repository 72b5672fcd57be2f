"""The SDKs' policies behave like the vendors' own clients: same attempts and same sleeps in every scripted failure."""

from __future__ import annotations

import email.utils
import socket
import time
from importlib.metadata import version
from random import Random
from typing import Any

import gevent
import pytest

from loadprofiles.client import client as our_client
from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, ClientOptions
from loadprofiles.retries import anthropic_sdk, openai_sdk
from loadprofiles.sessions.session import Call, Message
from reports.shared.tokens import Marker
from tests.support.real_clients import BODIES, EVENTS, RetryBehaviour, real_behaviour
from tests.support.scripted_server import Script, ScriptedServer, reset, silent, streamed, whole

APIS = ("openai", "anthropic")


def in_seconds(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


def rst_before_headers(sock: socket.socket) -> None:
    reset(sock)


def fin_before_headers(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def garbage(sock: socket.socket) -> None:
    sock.sendall(b"what?\r\n\r\n")
    sock.shutdown(socket.SHUT_RDWR)


def cut_body(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{")
    sock.shutdown(socket.SHUT_RDWR)


def cut_error_body(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 503 X\r\nContent-Length: 5000\r\nRetry-After: 3\r\n\r\n{")
    sock.shutdown(socket.SHUT_RDWR)


def failing(status: int, **headers: str) -> Script:
    return whole(
        status, b'{"error":{"message":"no"}}', [(name.replace("_", "-"), value) for name, value in headers.items()]
    )


SCRIPTS: dict[str, list[Script]] = {
    "408": [failing(408)],
    "409": [failing(409)],
    "429": [failing(429)],
    "500": [failing(500)],
    "503": [failing(503)],
    "529": [failing(529)],
    "400": [failing(400)],
    "401": [failing(401)],
    "404": [failing(404)],
    "422": [failing(422)],
    "retry-after-ms": [failing(429, retry_after_ms="1234")],
    "retry-after-ms before retry-after": [failing(429, retry_after_ms="1234", retry_after="7")],
    "retry-after seconds": [failing(503, retry_after="7")],
    "retry-after with a fraction": [failing(503, retry_after="1.5")],
    "retry-after 70": [failing(503, retry_after="70")],
    "retry-after 120": [failing(503, retry_after="120")],
    "retry-after 130": [failing(503, retry_after="130")],
    "retry-after 0": [failing(503, retry_after="0")],
    "retry-after negative": [failing(503, retry_after="-5")],
    "retry-after nonsense": [failing(503, retry_after="soon")],
    "retry-after-ms nonsense, then seconds": [failing(503, retry_after_ms="soon", retry_after="6")],
    "retry-after nan": [failing(503, retry_after="nan")],
    "retry-after inf": [failing(503, retry_after="inf")],
    "retry-after 1e999": [failing(503, retry_after="1e999")],
    "retry-after date": [failing(503, retry_after=in_seconds(40))],
    "retry-after date far off": [failing(503, retry_after=in_seconds(4000))],
    "retry-after date past": [failing(503, retry_after=in_seconds(-40))],
    "retry-after on a 400": [failing(400, retry_after="3")],
    "x-should-retry true on 400": [failing(400, x_should_retry="true")],
    "x-should-retry false on 503": [failing(503, x_should_retry="false")],
    "x-should-retry true, retry-after 130": [failing(503, x_should_retry="true", retry_after="130")],
    "x-should-retry nonsense": [failing(503, x_should_retry="maybe")],
    "reset before headers": [rst_before_headers],
    "closed before headers": [fin_before_headers],
    "not http": [garbage],
    "an error, its body cut": [cut_error_body],
    "one failure, then an answer": [failing(500), whole(200)],
    "two failures, then an answer": [failing(429, retry_after="2"), failing(500), whole(200)],
    "three failures, then an answer": [failing(500), fin_before_headers, failing(503), whole(200)],
}


def good(api: str, stream: bool, scripts: list[Script]) -> list[Script]:
    """Replaces the last of several scripts by a complete answer of the API."""
    answer = streamed(EVENTS[api]) if stream else whole(200, BODIES[api])
    return scripts if len(scripts) == 1 else [*scripts[:-1], answer]


class Sleeps:
    """Replaces gevent in our client: records sleeps instead of sleeping."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


class FixedRandom(Random):
    """`random()` always returns `jitter`."""

    jitter = 0.0

    def random(self) -> float:
        return self.jitter


def our_behaviour(
    api: str,
    scripts: list[Script],
    *,
    stream: bool,
    jitter: float,
    monkeypatch: pytest.MonkeyPatch,
    timeout_s: float = 5,
) -> RetryBehaviour:
    sleeps = Sleeps()
    with monkeypatch.context() as patch, ScriptedServer(*scripts) as server:
        patch.setattr(our_client, "gevent", sleeps)
        patch.setattr(our_client, "Random", FixedRandom)
        patch.setattr(FixedRandom, "jitter", jitter)
        options = ClientOptions(server.url, "m", api=api, retries=f"{api}-sdk", timeout_s=timeout_s, provable=False)
        client = Client(options)
        call = Call("main", 0, (Message("user", "x"),), 2, False, Marker("s", "main", 0), stream)
        record = client.call(call, AgentContext("s", "main", None, 7), now_s())
        client.close()
        return RetryBehaviour(len(server.requests), tuple(sleeps.slept_s), record.ok)


def test_the_emulated_versions_are_the_installed_versions() -> None:
    assert f"openai {version('openai')}" == openai_sdk.EMULATES
    assert f"anthropic {version('anthropic')}" == anthropic_sdk.EMULATES


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("api", APIS)
def test_attempts_and_sleeps_equal_those_of_the_real_client(
    api: str, name: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = good(api, stream, SCRIPTS[name])
    jitters = (0.0, 0.999) if name in ("503", "reset before headers") else (0.5,)
    for jitter in jitters:
        given: dict[str, Any] = {"stream": stream, "jitter": jitter, "monkeypatch": monkeypatch}
        theirs = real_behaviour(api, scripts, **given)
        ours = our_behaviour(api, scripts, **given)
        assert (ours.attempts, ours.ok) == (theirs.attempts, theirs.ok)
        assert ours.sleeps_s == pytest.approx(theirs.sleeps_s, abs=1.5 if "date" in name else 1e-6)


@pytest.mark.parametrize("api", APIS)
def test_after_a_cut_stream_or_an_error_event_both_give_up(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for end in ("fin", "rst"):
        scripts = [streamed(EVENTS[api][:3], end=end)]
        given: dict[str, Any] = {"stream": True, "jitter": 0.5, "monkeypatch": monkeypatch}
        assert (
            our_behaviour(api, scripts, **given)
            == real_behaviour(api, scripts, **given)
            == RetryBehaviour(1, (), False)
        )
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"no"}}\n\n'
    scripts = [streamed([*EVENTS[api][:3], error])]
    assert our_behaviour(api, scripts, **given) == real_behaviour(api, scripts, **given) == RetryBehaviour(1, (), False)


@pytest.mark.parametrize("api", APIS)
def test_a_cut_body_is_retried_like_the_real_client(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"stream": False, "jitter": 0.5, "monkeypatch": monkeypatch}
    assert our_behaviour(api, [cut_body], **given) == real_behaviour(api, [cut_body], **given)
    scripts = [cut_body, whole(200, BODIES[api])]
    assert our_behaviour(api, scripts, **given) == real_behaviour(api, scripts, **given)
    assert our_behaviour(api, scripts, **given).ok


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("api", APIS)
def test_silence_before_headers_is_retried_like_the_real_client(
    api: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"stream": stream, "jitter": 0.5, "monkeypatch": monkeypatch, "timeout_s": 0.2}
    assert our_behaviour(api, [silent], **given) == real_behaviour(api, [silent], **given)


def test_other_greenlets_run_during_a_retry_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sleep that the tests above replace is gevent's, so other greenlets run meanwhile."""
    with ScriptedServer(failing(503, retry_after_ms="150"), streamed(EVENTS["openai"])) as server:
        client = Client(ClientOptions(server.url, "m", provable=False))
        call = Call("main", 0, (Message("user", "x"),), 2, False, Marker("s", "main", 0), True)
        job = gevent.spawn(client.call, call, AgentContext("s", "main", None, 7), now_s())
        ticks = 0
        with gevent.Timeout(5):
            while not job.ready():
                gevent.sleep(0.01)
                ticks += 1
        assert job.get().ok
        assert ticks >= 5
        assert server.requests[1].at_s - server.requests[0].at_s >= 0.15
