"""The gateway in front of simulated replicas with each behaviour, on both APIs. A response with visible damage never
looks complete; wrong tokens in valid events are left to the client's own check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from reports.shared.control_port import TOKEN_HEADER
from reports.shared.tokens import Marker, token_stream
from targets.gateway.config import Balancing, GatewayConfig, Timeouts, Upstream
from targets.gateway.server.server import GatewayServer
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.server import ReplicaServer
from tests.support.gateway_harness import POLICIES, Seen, read_stream, request_body

TOKEN = "token-of-the-run"
PATHS = ["/v1/chat/completions", "/v1/messages"]
TOKENS = 24
OPENAI_TOOLS = [{"type": "function", "function": {"name": "edit", "parameters": {"type": "object"}}}]
ANTHROPIC_TOOLS = [{"name": "edit", "input_schema": {"type": "object"}}]


@asynccontextmanager
async def stack(
    *behaviours: dict[str, Any], others: int = 1, **changes: Any
) -> AsyncIterator[tuple[str, aiohttp.ClientSession, GatewayServer]]:
    """Two replicas behind a round-robin gateway. The first one used has `behaviours`, and so have `others` more."""
    async with AsyncExitStack() as closing:
        http = await closing.enter_async_context(aiohttp.ClientSession())
        upstreams = []
        for n in range(2):
            config = ReplicaConfig(
                name=f"gpu-{n}", pool="gpu", cloud="aws", model="llama-3.1-8b", hardware="llama-8b-h100"
            )
            replica = ReplicaServer(config, TOKEN)
            await replica.start()
            closing.push_async_callback(replica.close, drain_s=0)
            upstreams.append(Upstream(config.name, "gpu", replica.url, "aws", True, 40.0))
            for i, behaviour in enumerate(behaviours if n <= others else ()):
                url = f"{replica.control_url}/behaviours/f{i}"
                async with http.put(url, json=behaviour, headers={TOKEN_HEADER: TOKEN}) as answer:
                    assert answer.status == 201, await answer.text()
        policies = replace(
            POLICIES,
            timeouts=Timeouts(first_token_s=0.8, between_tokens_s=0.4),
            breaker=None,
            ejection=None,
            affinity=None,
            balancing=Balancing(kind="round_robin"),
        )
        policies = replace(policies, **changes)
        gateway = GatewayServer(GatewayConfig(tuple(upstreams), policies=policies, seed=2))
        await gateway.start()
        closing.push_async_callback(gateway.close)
        yield f"http://127.0.0.1:{gateway.port}", http, gateway


async def call(http: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> Seen:
    async with http.post(url, json=body) as response:
        seen = Seen(status=response.status, raw=await response.read(), whole=True)
    assert seen.status == 200, seen.raw
    read_stream(seen.raw, seen)
    return seen


def behaviour(kind: str, **params: Any) -> dict[str, Any]:
    return {"kind": kind, "params": params, "share": None, "seed": 7, "lease_s": 30}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", ["fin", "rst", "clean"])
async def test_cut_streams_reach_the_client_complete(path: str, how: str) -> None:
    async with stack(behaviour("cut", after_tokens=9, how=how)) as (url, http, gateway):
        for n in range(4):
            marker = Marker(f"s{n}", "main", 0)
            body = request_body(TOKENS, marker=marker, stream_options={"include_usage": True})
            seen = await call(http, url + path, body)
            assert seen.text == token_stream(marker.key, TOKENS)
            assert (len(seen.finish), seen.terminals, seen.heads, len(seen.ids), seen.errors) == (1, 1, 1, 1, [])
            used = seen.usage[-1]
            assert used.get("completion_tokens", used.get("output_tokens")) == TOKENS
        assert gateway.snapshot()["migrations"] == 8


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("after", [10, 18])  # in the text, and inside the tool call
async def test_tool_calls_of_stalled_streams_reach_the_client_complete(path: str, after: int) -> None:
    tools = OPENAI_TOOLS if path == PATHS[0] else ANTHROPIC_TOOLS
    async with stack(behaviour("stall", after_tokens=after)) as (url, http, gateway):
        seen = await call(http, url + path, request_body(TOKENS, tools=tools))
        assert gateway.snapshot()["migrations"] >= 1
    stream = token_stream("s1/main#0", TOKENS)
    assert seen.text + seen.arguments.removeprefix('{"input":"').removesuffix('"}') == stream
    assert seen.arguments
    assert seen.finish in (["tool_calls"], ["tool_use"])
    assert (seen.terminals, seen.heads, seen.errors) == (1, 1, [])


@pytest.mark.parametrize("path", PATHS)
async def test_a_stall_before_the_first_token_on_all_replicas_gives_504(path: str) -> None:
    async with stack(behaviour("stall", after_tokens=0)) as (url, http, gateway):
        async with http.post(url + path, json=request_body(TOKENS)) as response:
            assert response.status == 504
            assert "no token within" in await response.text()
        assert gateway.snapshot()["migrations"] == 0


BROKEN = [
    ("corrupt", {"after_tokens": 9}),
    ("corrupt", {"after_tokens": 9, "how": "line"}),
    ("error_event", {"after_tokens": 9}),
    ("slow_tokens", {"ms": 2000, "after_tokens": 9}),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("kind", "params"), BROKEN)
async def test_malformed_or_stalled_streams_are_migrated_and_complete(
    path: str, kind: str, params: dict[str, Any]
) -> None:
    async with stack(behaviour(kind, **params)) as (url, http, gateway):
        seen = await call(http, url + path, request_body(TOKENS, stream_options={"include_usage": True}))
        assert gateway.snapshot()["migrations"] == 2
    assert seen.text == token_stream("s1/main#0", TOKENS)
    assert (len(seen.finish), seen.terminals, seen.heads, len(seen.ids), seen.errors) == (1, 1, 1, 1, [])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", ["data", "line"])
async def test_a_broken_event_in_the_middle_of_a_read_is_found(path: str, how: str) -> None:
    """After a stall, the held events arrive in one read: the broken event has whole ones on both sides."""
    stall = behaviour("stall", after_tokens=4, for_s=0.25)
    async with stack(stall, behaviour("corrupt", after_tokens=9, how=how)) as (url, http, gateway):
        seen = await call(http, url + path, request_body(TOKENS))
        assert gateway.snapshot()["migrations"] >= 2  # a late machine may add one
    assert seen.text == token_stream("s1/main#0", TOKENS)
    assert (seen.terminals, seen.errors) == (1, [])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["corrupt", "error_event", "no_terminal"])
async def test_without_migration_a_broken_stream_ends_with_an_error(path: str, kind: str) -> None:
    async with (
        stack(behaviour(kind), migration=None) as (url, http, _),
        http.post(url + path, json=request_body(TOKENS)) as response,
    ):
        seen = Seen(status=response.status, raw=await response.read())
    if seen.status == 200:
        read_stream(seen.raw, seen)
        assert (len(seen.errors), seen.terminals) == (1, 0)
    else:
        assert seen.status == 502


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tools", [False, True])
async def test_a_response_without_its_end_is_completed_or_continued(path: str, tools: bool) -> None:
    given = OPENAI_TOOLS if path == PATHS[0] else ANTHROPIC_TOOLS
    body = request_body(TOKENS)
    if tools:
        body["tools"] = given
    async with stack(behaviour("no_terminal"), others=0) as (url, http, gateway):
        seen = await call(http, url + path, body)
        assert gateway.snapshot()["migrations"] == int(tools)
    text = seen.text + seen.arguments.removeprefix('{"input":"').removesuffix('"}')
    assert text == token_stream("s1/main#0", TOKENS)
    assert (len(seen.finish), seen.terminals, seen.errors) == (1, 1, [])


FAILING: list[tuple[str, dict[str, Any]]] = [
    ("malformed", {}),
    ("malformed", {"how": "json"}),
    ("lying_health", {"how": "failing"}),
    ("http_error", {"status": 500}),
    ("corrupt", {}),
    ("error_event", {}),
]
SILENT: list[tuple[str, dict[str, Any]]] = [
    ("never_answer", {}),
    ("slow_headers", {"ms": 60_000}),
    ("lying_health", {}),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("kind", "params", "stream"),
    [(*each, True) for each in FAILING + SILENT] + [(*each, False) for each in FAILING],
)
async def test_each_failure_before_the_first_token_is_retried_elsewhere(
    path: str, kind: str, params: dict[str, Any], stream: bool
) -> None:
    async with stack(behaviour(kind, **params), others=0) as (url, http, gateway):
        async with http.post(url + path, json=request_body(TOKENS, stream=stream)) as response:
            assert response.status == 200
            raw = await response.read()
        assert gateway.snapshot()["retries"] == 1
    if stream:
        seen = Seen()
        read_stream(raw, seen)
        assert (seen.text, seen.terminals, seen.errors) == (token_stream("s1/main#0", TOKENS), 1, [])
    else:
        assert token_stream("s1/main#0", TOKENS).encode() in raw


@pytest.mark.parametrize("path", PATHS)
async def test_trickled_bytes_are_forwarded_as_whole_events(path: str) -> None:
    async with stack(behaviour("trickle", bytes=50, ms=2)) as (url, http, gateway):
        seen = await call(http, url + path, request_body(TOKENS))
        assert gateway.snapshot()["migrations"] == 0
    assert (seen.text, seen.terminals) == (token_stream("s1/main#0", TOKENS), 1)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["wrong_answer", "duplicate"])
async def test_wrong_tokens_in_valid_events_are_forwarded_unchanged(path: str, kind: str) -> None:
    async with stack(behaviour(kind, after_tokens=9)) as (url, http, gateway):
        seen = await call(http, url + path, request_body(TOKENS))
        assert gateway.snapshot()["migrations"] == 0
    right = token_stream("s1/main#0", TOKENS)
    assert seen.text[:36] == right[:36]
    assert seen.text != right
    assert (seen.terminals, seen.errors) == (1, [])
