"""`slow_decode`: decode steps take longer, for all streams."""

from __future__ import annotations

import asyncio
import time

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, marked, post, put, until

TOKENS = 25


async def seconds(replica: ReplicaServer, turn: int) -> float:
    start = time.monotonic()
    assert (await post(replica, chat(marked("x", turn=turn), max_tokens=TOKENS)))[0] == 200
    return time.monotonic() - start


async def test_tokens_are_slower_by_the_factor_until_it_is_deleted(replica: ReplicaServer) -> None:
    normal_s = await seconds(replica, 0)
    await put(replica, "f1", "slow_decode", params={"factor": 4})
    slow_s = await seconds(replica, 1)
    await control(replica, "DELETE", "/behaviours/f1")
    after_s = await seconds(replica, 2)
    assert 2 * normal_s < slow_s
    assert after_s < slow_s / 2
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_two_behaviours_hit_a_stream_in_progress(replica: ReplicaServer) -> None:
    task = asyncio.create_task(seconds(replica, 0))
    await until(lambda: replica.snapshot()["running"] == 1, "it is in progress")
    await put(replica, "f1", "slow_decode", params={"factor": 2})
    await put(replica, "f2", "slow_decode", params={"factor": 3})
    await task
    assert replica.snapshot()["hits"] == {"f1": 1, "f2": 1}
