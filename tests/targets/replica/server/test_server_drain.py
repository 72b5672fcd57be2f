"""A draining replica reports not ready, serves all requests, and is done after one idle second."""

from __future__ import annotations

import asyncio
from time import monotonic

import aiohttp

from reports.shared.tokens import Marker, marker_text
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import put


def body(tokens: int, turn: int) -> dict[str, object]:
    text = f"go on {marker_text(Marker('s1', 'main', turn))}"
    messages = [{"role": "user", "content": text}]
    return {"model": "m", "messages": messages, "max_tokens": tokens, "stream": True}


async def ready(replica: ReplicaServer) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"{replica.url}/health/ready") as answer:
        return answer.status, await answer.text()


async def call(replica: ReplicaServer, tokens: int, turn: int) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{replica.url}/v1/chat/completions", json=body(tokens, turn)) as answer,
    ):
        return answer.status, await answer.text()


async def test_a_draining_replica_is_not_ready_but_serves_old_and_new_requests(replica: ReplicaServer) -> None:
    assert (await ready(replica))[0] == 200
    running = asyncio.create_task(call(replica, 60, 0))
    async with asyncio.timeout(5):
        while replica.snapshot()["requests"] == 0:
            await asyncio.sleep(0.005)
    draining = asyncio.create_task(replica.drain())
    await asyncio.sleep(0)
    status, text = await ready(replica)
    assert status == 503
    assert "draining" in text
    late_status, late = await call(replica, 3, 1)
    status, answer = await running
    assert (status, late_status) == (200, 200)
    assert answer.rstrip().endswith("[DONE]")
    assert late.rstrip().endswith("[DONE]")
    ended = monotonic()
    async with asyncio.timeout(5):
        await draining
    assert monotonic() - ended >= 0.9


async def test_a_replica_that_has_been_idle_is_drained_at_once(replica: ReplicaServer) -> None:
    replica._requests._idle_since -= 2.0
    async with asyncio.timeout(0.5):
        await replica.drain()


async def test_behaviours_stay_active_during_a_drain(replica: ReplicaServer) -> None:
    draining = asyncio.create_task(replica.drain())
    await put(replica, "f1", "http_error", params={"status": 500})
    assert (await call(replica, 3, 0))[0] == 500
    async with asyncio.timeout(5):
        await draining
