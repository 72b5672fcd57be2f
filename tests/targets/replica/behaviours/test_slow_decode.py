"""`slow_decode`: decode steps take longer, for all streams."""

from __future__ import annotations

import asyncio

import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, engine_seconds, marked, post, put, until


async def test_decode_takes_the_factor_times_as_long_in_engine_time(replica: ReplicaServer) -> None:
    async def decode_s(turn: int) -> float:
        before_s = engine_seconds(replica, "decode")
        assert (await post(replica, chat(marked("x", turn=turn), max_tokens=25)))[0] == 200
        return engine_seconds(replica, "decode") - before_s

    normal_s = await decode_s(0)
    await put(replica, "f1", "slow_decode", params={"factor": 4})
    slow_s = await decode_s(1)
    await control(replica, "DELETE", "/behaviours/f1")
    after_s = await decode_s(2)
    assert slow_s == pytest.approx(4 * normal_s, rel=0.01)
    assert after_s == pytest.approx(normal_s, rel=0.01)
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_two_behaviours_hit_a_stream_in_progress(replica: ReplicaServer) -> None:
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=25)))
    await until(lambda: replica.snapshot()["running"] == 1, "it is in progress")
    await put(replica, "f1", "slow_decode", params={"factor": 2})
    await put(replica, "f2", "slow_decode", params={"factor": 3})
    assert (await task)[0] == 200
    assert replica.snapshot()["hits"] == {"f1": 1, "f2": 1}
