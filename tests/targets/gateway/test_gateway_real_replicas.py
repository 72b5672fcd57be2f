"""The gateway in front of real simulated replicas: cut and stalled streams come out whole, on both APIs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from gateway_harness import POLICIES, Seen, read_stream, request_body

from reports.tokens import Marker, token_stream
from targets.gateway.config import GatewayConfig, Timeouts, Upstream
from targets.gateway.server import GatewayServer
from targets.replica.config import ReplicaConfig
from targets.replica.server import ReplicaServer

TOKEN = "the-token-of-this-run"
PATHS = ["/v1/chat/completions", "/v1/messages"]
TOKENS = 24
OPENAI_TOOLS = [{"type": "function", "function": {"name": "edit", "parameters": {"type": "object"}}}]
ANTHROPIC_TOOLS = [{"name": "edit", "input_schema": {"type": "object"}}]


@asynccontextmanager
async def stack(*behaviours: dict[str, Any]) -> AsyncIterator[tuple[str, aiohttp.ClientSession, GatewayServer]]:
    """Two replicas behind a gateway, each with `behaviours`."""
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
            for i, behaviour in enumerate(behaviours):
                url = f"{replica.control_url}/behaviours/f{i}"
                async with http.put(url, json=behaviour, headers={"X-Brownout-Token": TOKEN}) as answer:
                    assert answer.status == 201, await answer.text()
        policies = replace(
            POLICIES, timeouts=Timeouts(first_token_s=2.0, between_tokens_s=0.4), breaker=None, ejection=None
        )
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
async def test_cut_streams_come_out_whole(path: str, how: str) -> None:
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
async def test_tool_calls_come_out_whole(path: str, after: int) -> None:
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
async def test_replicas_that_never_say_a_word_end_in_an_error(path: str) -> None:
    async with stack(behaviour("stall", after_tokens=0)) as (url, http, gateway):
        async with http.post(url + path, json=request_body(TOKENS)) as response:
            assert response.status == 504
            assert "no token within" in await response.text()
        assert gateway.snapshot()["migrations"] == 0
