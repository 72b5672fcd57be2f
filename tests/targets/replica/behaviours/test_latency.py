"""`latency`: a request is delayed before it reaches the engine."""

from __future__ import annotations

import asyncio
import time

import pytest

from targets.replica.behaviours.latency import Latency
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, marked, post, put, until


@pytest.mark.parametrize(("draw", "delay_s"), [(0.0, 0.08), (0.5, 0.1), (1.0, 0.12)])
def test_jitter_is_spread_around_the_delay(draw: float, delay_s: float) -> None:
    assert Latency(ms=100, jitter_ms=20).delay_s(draw) == pytest.approx(delay_s)


def test_a_delay_is_never_negative() -> None:
    assert Latency(ms=10, jitter_ms=100).delay_s(0.0) == 0.0


async def test_requests_reach_the_engine_later_and_are_counted_as_hits(replica: ReplicaServer) -> None:
    await put(replica, "f1", "latency", params={"ms": 300})
    start = time.monotonic()
    answer = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=2)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "the request has arrived")
    assert replica.snapshot()["running"] == 0
    assert (await answer)[0] == 200
    assert time.monotonic() - start >= 0.3
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 1})
    await post(replica, chat(marked("x"), max_tokens=2))
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_a_share_hits_the_same_requests_each_time(replica: ReplicaServer) -> None:
    await put(replica, "f1", "latency", params={"ms": 1}, share=0.5)
    await asyncio.gather(*(post(replica, chat(marked("x", turn=turn), max_tokens=1)) for turn in range(40)))
    hits = replica.snapshot()["hits"]["f1"]
    assert 8 <= hits <= 32
    await asyncio.gather(*(post(replica, chat(marked("x", turn=turn), max_tokens=1)) for turn in range(40)))
    assert replica.snapshot()["hits"]["f1"] == 2 * hits
