"""`flush_cache`: cached prefixes are computed again."""

from __future__ import annotations

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, marked, post, put, until


async def hit_tokens(replica: ReplicaServer) -> int:
    before = replica.snapshot()["prefix_hit_tokens"]
    await post(replica, chat(marked("x" * 4000), max_tokens=1))
    hits: int = replica.snapshot()["prefix_hit_tokens"] - before
    return hits


async def test_the_prefix_cache_is_emptied_once(replica: ReplicaServer) -> None:
    assert await hit_tokens(replica) == 0
    assert await hit_tokens(replica) > 900
    await put(replica, "f1", "flush_cache")
    assert await hit_tokens(replica) == 0
    assert await hit_tokens(replica) > 900
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 2})


async def test_the_prefix_cache_is_emptied_periodically_until_the_end(replica: ReplicaServer) -> None:
    await put(replica, "f1", "flush_cache", params={"every_s": 0.05})
    for _ in range(2):
        await hit_tokens(replica)
        await until(lambda: not replica._engine._scheduler.pool._index, "the cache is empty")
    await control(replica, "DELETE", "/behaviours/f1")
    await hit_tokens(replica)
    assert await hit_tokens(replica) > 900
