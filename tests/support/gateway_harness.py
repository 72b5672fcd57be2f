"""A gateway in front of fake replicas with scripted faults, and a client that checks every event of a response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import msgspec

from reports.shared.control_port import TOKEN_HEADER
from reports.shared.tokens import Marker, marker_text
from targets.gateway.config import (
    Backoff,
    Breaker,
    Ejection,
    GatewayConfig,
    GatewayPolicies,
    Migration,
    Retries,
    Timeouts,
    Upstream,
)
from targets.gateway.routing.router import Router
from targets.gateway.server.server import GatewayServer
from tests.support.gateway_fakes import Act, FakeReplica

__all__ = [
    "MARKER",
    "POLICIES",
    "TOKEN",
    "Act",
    "FakeReplica",
    "Rig",
    "Seen",
    "read_stream",
    "request_body",
    "rig",
    "until",
]

TOKEN = "token-of-the-run"
MARKER = Marker("s1", "main", 0)

POLICIES = GatewayPolicies(
    breaker=Breaker(window_calls=10, min_calls=5, open_s=0.5, half_open_calls=2),
    ejection=Ejection(consecutive_failures=3, base_s=0.5, max_share=0.67, sweep_s=1.0, silence_s=0.2),
    retries=Retries(backoff=Backoff(initial_s=0.001, max_s=0.005, retry_after_cap_s=0.2)),
    timeouts=Timeouts(connect_s=1.0, first_token_s=0.4, between_tokens_s=0.3, total_s=20.0),
    migration=Migration(),
    probes=None,
)


@dataclass
class Seen:
    """What a client received."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    text: str = ""
    arguments: str = ""
    finish: list[str] = field(default_factory=list)
    terminals: int = 0
    heads: int = 0
    ids: set[str] = field(default_factory=set)
    errors: list[Any] = field(default_factory=list)
    usage: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[tuple[str, int]] = field(default_factory=list)  # Messages API: block events in order
    whole: bool = False  # the HTTP message ended properly


def read_stream(raw: bytes, seen: Seen) -> None:
    """Parses a stream into `seen`; asserts that all events are whole."""
    assert raw.endswith(b"\n\n") or not raw
    for event in raw.split(b"\n\n"):
        data = b"".join(line[6:] for line in event.split(b"\n") if line.startswith(b"data: "))
        if not data:
            continue
        if data == b"[DONE]":
            seen.terminals += 1
            continue
        fields = msgspec.json.decode(data)
        if "error" in fields:
            seen.errors.append(fields["error"])
        elif "choices" in fields:
            _read_chunk(fields, seen)
        else:
            _read_event(fields, seen)


def _read_chunk(chunk: dict[str, Any], seen: Seen) -> None:
    seen.ids.add(chunk["id"])
    if chunk.get("usage"):
        seen.usage.append(chunk["usage"])
    for choice in chunk["choices"]:
        delta = choice["delta"]
        seen.heads += "role" in delta
        seen.text += delta.get("content") or ""
        for call in delta.get("tool_calls") or ():
            seen.arguments += call["function"].get("arguments", "")
        if choice.get("finish_reason"):
            seen.finish.append(choice["finish_reason"])


def _read_event(event: dict[str, Any], seen: Seen) -> None:
    match event["type"]:
        case "message_start":
            seen.heads += 1
            seen.ids.add(event["message"]["id"])
        case "content_block_start" | "content_block_stop":
            seen.blocks.append((event["type"].rsplit("_", 1)[1], event["index"]))
        case "content_block_delta":
            assert seen.blocks[-1] == ("start", event["index"])
            seen.text += event["delta"].get("text", "")
            seen.arguments += event["delta"].get("partial_json", "")
        case "message_delta":
            seen.finish.append(event["delta"]["stop_reason"])
            seen.usage.append(event["usage"])
        case "message_stop":
            seen.terminals += 1


def request_body(tokens: int = 20, *, marker: Marker = MARKER, **more: Any) -> dict[str, Any]:
    """A streaming request for `tokens` tokens."""
    messages = [{"role": "system", "content": "be good"}, {"role": "user", "content": f"go on {marker_text(marker)}"}]
    return {"model": "m", "messages": messages, "max_tokens": tokens, "stream": True, "user": marker.session, **more}


@dataclass
class Rig:
    """A gateway, its upstreams and a client session."""

    gateway: GatewayServer
    replicas: list[FakeReplica]
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    @property
    def router(self) -> Router:
        return self.gateway.context.router

    async def call(self, body: dict[str, Any], path: str = "/v1/chat/completions", **headers: str) -> Seen:
        """Sends a request and reads the response to its end, whatever the outcome."""
        seen = Seen()
        async with self.http.post(self.url + path, json=body, headers=headers) as response:
            seen.status = response.status
            seen.headers = dict(response.headers)
            try:
                async for data in response.content.iter_any():
                    seen.raw += data
                seen.whole = True
            except aiohttp.ClientPayloadError:
                pass
        if seen.headers.get("Content-Type", "").startswith("text/event-stream"):
            read_stream(seen.raw, seen)
        return seen

    async def control(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Sends a request to the control port, with the token of the run."""
        url = f"http://127.0.0.1:{self.gateway.control_port}{path}"
        async with self.http.request(method, url, json=body, headers={TOKEN_HEADER: TOKEN, **headers}) as answer:
            return answer.status, await answer.json()

    def served(self) -> list[int]:
        """Returns the number of requests that each replica received."""
        return [len(replica.bodies) for replica in self.replicas]

    def at(self, name: str) -> FakeReplica:
        return next(replica for replica in self.replicas if replica.name == name)


async def until(condition: Callable[[], bool], deadline_s: float = 5.0) -> None:
    """Waits until `condition` holds; raises `TimeoutError` at the deadline."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def rig(
    count: int = 2,
    policies: GatewayPolicies = POLICIES,
    *,
    continuation: bool = True,
    acts: dict[str, list[Act]] | None = None,
    prefill_us_per_token: float = 0.0,
    pools: tuple[str, ...] = (),
    reserve: tuple[str, ...] = (),
    **changes: Any,
) -> AsyncIterator[Rig]:
    """`count` upstreams `r0`, `r1`, ... behind a gateway. `changes`: policies replaced; `acts`: scripts by name.

    `pools`: that of each upstream, default: one for all. `reserve`: the pools in reserve.
    """
    replicas = [FakeReplica(f"r{n}") for n in range(count)]
    for replica in replicas:
        replica.script.extend((acts or {}).get(replica.name, []))
        await replica.start()
    upstreams = tuple(
        Upstream(r.name, pool, r.url, "cloud", continuation, prefill_us_per_token)
        for r, pool in zip(replicas, pools or ("pool",) * count, strict=True)
    )
    changed = replace(policies, **changes)
    config = GatewayConfig(upstreams, control_port=0, policies=changed, model="m", seed=1, reserve=reserve)
    gateway = GatewayServer(config, TOKEN)
    await gateway.start()
    async with aiohttp.ClientSession() as http:
        try:
            yield Rig(gateway, replicas, http)
        finally:
            for replica in replicas:
                replica.release.set()
            await gateway.close()
            for replica in replicas:
                await replica.stop()
