"""A replica that drains says so, goes on serving, and is done once nothing has run for a second."""

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


async def ask(replica: ReplicaServer, tokens: int, turn: int) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{replica.url}/v1/chat/completions", json=body(tokens, turn)) as answer,
    ):
        return answer.status, await answer.text()


async def test_it_says_so_and_serves_what_runs_and_what_still_comes(replica: ReplicaServer) -> None:
    assert (await ready(replica))[0] == 200
    running = asyncio.create_task(ask(replica, 60, 0))
    async with asyncio.timeout(5):
        while replica.snapshot()["requests"] == 0:
            await asyncio.sleep(0.005)
    draining = asyncio.create_task(replica.drain())
    await asyncio.sleep(0)
    status, said = await ready(replica)
    assert status == 503
    assert "draining" in said
    late_status, late = await ask(replica, 3, 1)
    status, answer = await running
    assert (status, late_status) == (200, 200)
    assert answer.rstrip().endswith("[DONE]")
    assert late.rstrip().endswith("[DONE]")
    ended = monotonic()
    async with asyncio.timeout(5):
        await draining
    assert monotonic() - ended >= 0.9


async def test_one_that_has_been_idle_is_done_at_once(replica: ReplicaServer) -> None:
    replica._requests._idle_since -= 2.0
    async with asyncio.timeout(0.5):
        await replica.drain()


async def test_its_behaviours_go_on_while_it_drains(replica: ReplicaServer) -> None:
    draining = asyncio.create_task(replica.drain())
    await put(replica, "f1", "http_error", params={"status": 500})
    assert (await ask(replica, 3, 0))[0] == 500
    async with asyncio.timeout(5):
        await draining
