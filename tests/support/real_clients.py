"""Runs the vendors' own clients against a scripted server, without waiting, and records their attempts and sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import anthropic
import openai
import pytest

from tests.support.scripted_server import Script, ScriptedServer, anthropic_events, openai_events

PIECES = ["abcd", "efgh"]
EVENTS = {"openai": openai_events(PIECES), "anthropic": anthropic_events(PIECES)}
BODIES = {
    "openai": b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"abcdefgh"},"finish_reason":"stop"}]}',
    "anthropic": b'{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text",'
    b'"text":"abcdefgh"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}}',
}


class RetryBehaviour(NamedTuple):
    """What a client did: attempts made, sleeps between them in seconds, and whether it got an answer."""

    attempts: int
    sleeps_s: tuple[float, ...]
    ok: bool


def real_behaviour(
    api: str,
    scripts: list[Script],
    *,
    stream: bool,
    jitter: float,
    monkeypatch: pytest.MonkeyPatch,
    timeout_s: float = 5,
) -> RetryBehaviour:
    """What the real client does. `jitter` is the value that its `random()` returns."""
    sleeps: list[float] = []
    module: Any = openai if api == "openai" else anthropic
    base = module._base_client
    assert base.time is time
    with monkeypatch.context() as patch, ScriptedServer(*scripts) as server:
        patch.setattr(base, "time", _Clock(sleeps))
        patch.setattr(base, "random", lambda: jitter)
        errors: tuple[type[Exception], ...] = (openai.OpenAIError, anthropic.AnthropicError, *_transport_errors())
        call = _openai if api == "openai" else _anthropic
        try:
            call(server.url, stream, timeout_s)
            ok = True
        except errors:
            ok = False
        return RetryBehaviour(len(server.requests), tuple(sleeps), ok)


class _Clock:
    """Replaces the module `time` inside a client: records sleeps instead of sleeping."""

    def __init__(self, sleeps: list[float]) -> None:
        self.sleep: Callable[[float], None] = sleeps.append

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _transport_errors() -> tuple[type[Exception], ...]:
    import httpx2

    return (httpx2.HTTPError,)


def _openai(url: str, stream: bool, timeout_s: float) -> None:
    with openai.OpenAI(api_key="k", base_url=url + "/v1", timeout=timeout_s) as client:
        answer: Any = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "x"}], stream=stream
        )
        for _ in answer if stream else ():
            pass


def _anthropic(url: str, stream: bool, timeout_s: float) -> None:
    with anthropic.Anthropic(api_key="k", base_url=url, timeout=timeout_s) as client:
        answer: Any = client.messages.create(
            model="m", max_tokens=8, messages=[{"role": "user", "content": "x"}], stream=stream
        )
        for _ in answer if stream else ():
            pass
