"""`preemption_storm`: running requests are preempted, and lose no tokens."""

from __future__ import annotations

import asyncio

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, streamed_text, until


async def test_streams_are_preempted_periodically_and_end_complete(replica: ReplicaServer) -> None:
    tasks = [asyncio.create_task(post(replica, chat(marked("x", turn=n), max_tokens=100))) for n in range(2)]
    await until(lambda: replica.snapshot()["running"] == 2, "both run")
    await put(replica, "f1", "preemption_storm", params={"ms": 20, "count": 2})
    await until(lambda: replica.snapshot()["preemptions"] >= 6, "both were preempted three times")
    texts = [streamed_text(body) for _, body in await asyncio.gather(*tasks)]
    assert texts == [expected("s1", n, 0, 100) for n in range(2)]
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 2})
    before = replica.snapshot()["preemptions"]
    await post(replica, chat(marked("x", turn=2), max_tokens=50))
    assert replica.snapshot()["preemptions"] == before
