"""`slow_tokens`: the stream is slow, the engine is not."""

from __future__ import annotations

import asyncio

import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, raw, streamed_text, until, whole


async def test_tokens_are_sent_apart_long_after_the_engine_is_done(replica: ReplicaServer) -> None:
    await put(replica, "f1", "slow_tokens", params={"ms": 60})
    task = asyncio.create_task(raw(replica, chat(marked("x"), max_tokens=10)))
    await until(lambda: replica.snapshot()["decoded_tokens"] == 10, "the engine is done")
    assert not task.done()
    reads, _ = await task
    assert streamed_text(whole(reads)) == expected("s1", 0, 0, 10)
    assert whole(reads).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert reads[-1][0] - reads[0][0] >= 9 * 0.06 - 0.01
    assert len(reads) >= 3, "a busy client may read several at once"
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_a_factor_multiplies_the_time_between_tokens(replica: ReplicaServer) -> None:
    async def took_s(turn: int) -> float:
        start = asyncio.get_running_loop().time()
        await post(replica, chat(marked("x", turn=turn), max_tokens=12))
        return asyncio.get_running_loop().time() - start

    plain_s = min([await took_s(turn) for turn in range(3)])  # the machine may stand still in one of them
    await put(replica, "f1", "slow_tokens", params={"factor": 10, "after_tokens": 4})
    assert await took_s(3) > 2 * plain_s


async def test_at_the_end_all_waiting_tokens_are_sent_at_once(replica: ReplicaServer) -> None:
    await put(replica, "f1", "slow_tokens", params={"ms": 3_600_000})
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=8)))
    await until(lambda: replica.snapshot()["decoded_tokens"] == 8, "all is decoded")
    await control(replica, "DELETE", "/behaviours/f1")
    assert streamed_text((await asyncio.wait_for(task, 5))[1]) == expected("s1", 0, 0, 8)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_ends_only_after_its_last_token(replica: ReplicaServer, stream: bool) -> None:
    await put(replica, "f1", "slow_tokens", params={"ms": 100})
    start = asyncio.get_running_loop().time()
    status, _ = await post(replica, chat(marked("x"), max_tokens=4, stream=stream))
    assert status == 200
    assert asyncio.get_running_loop().time() - start >= 0.29
