"""`stale_metrics`: `/metrics` is not up to date."""

from __future__ import annotations

import asyncio

import aiohttp

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, marked, post, put, until


async def load(replica: ReplicaServer) -> dict[str, float]:
    async with aiohttp.ClientSession() as http, http.get(replica.url + "/metrics") as response:
        page = await response.text()
    lines = [line for line in page.split("\n") if line.startswith(("vllm:num_requests", "vllm:kv_cache_usage"))]
    return {line.split("{")[0].removeprefix("vllm:"): float(line.split()[-1]) for line in lines}


IDLE = {"num_requests_running": 0.0, "num_requests_waiting": 0.0, "kv_cache_usage_perc": 0.0}


async def test_frozen_shows_the_page_at_the_put_and_idle_shows_no_load(replica: ReplicaServer) -> None:
    await put(replica, "f1", "stale_metrics")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=3000)))
    await until(lambda: replica.snapshot()["running"] == 1, "one runs")
    assert await load(replica) == IDLE
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 1})
    true = await load(replica)
    assert true["num_requests_running"] == 1
    assert true["kv_cache_usage_perc"] > 0
    await put(replica, "f2", "stale_metrics", params={"how": "idle"})
    assert await load(replica) == IDLE
    await put(replica, "f3", "stale_metrics")  # frozen with the true page, and the last one put
    assert (await load(replica))["num_requests_running"] == 1
    task.cancel()
