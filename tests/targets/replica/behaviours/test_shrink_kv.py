"""`shrink_kv`: the KV cache loses blocks until the behaviour ends."""

from __future__ import annotations

import asyncio

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, streamed_text, until


async def test_requests_that_no_longer_fit_are_preempted_and_end_complete(replica: ReplicaServer) -> None:
    total = replica.snapshot()["kv_total"]
    tasks = [asyncio.create_task(post(replica, chat(marked(f"{n} " * 4000, turn=n), max_tokens=200))) for n in range(4)]
    await until(lambda: replica.snapshot()["decoded_tokens"] >= 40, "they are in progress")
    used = replica.snapshot()["kv_used"]
    await put(replica, "f1", "shrink_kv", params={"lost": 1 - 0.6 * used / total})
    await until(lambda: replica.snapshot()["preemptions"] > 0, "some were preempted")
    now = replica.snapshot()
    assert now["kv_total"] == int(0.6 * used)
    assert now["kv_used"] <= now["kv_total"]
    texts = [streamed_text(body) for _, body in await asyncio.gather(*tasks)]
    assert texts == [expected("s1", n, 0, 200) for n in range(4)]
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 4})
    assert replica.snapshot()["kv_total"] == total


async def test_a_request_too_large_for_the_remaining_blocks_waits_until_the_end(replica: ReplicaServer) -> None:
    await put(replica, "f1", "shrink_kv", params={"lost": 0.9999})
    task = asyncio.create_task(post(replica, chat(marked("x" * 40_000), max_tokens=4)))
    await until(lambda: replica.snapshot()["waiting"] == 1, "it waits")
    await control(replica, "DELETE", "/behaviours/f1")
    assert streamed_text((await asyncio.wait_for(task, 10))[1]) == expected("s1", 0, 0, 4)
