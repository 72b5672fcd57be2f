"""`trickle`: a few bytes at a time."""

from __future__ import annotations

import asyncio

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, raw, streamed_text, until, whole


async def test_events_arrive_in_pieces_and_complete(replica: ReplicaServer) -> None:
    await put(replica, "f1", "trickle", params={"bytes": 50, "ms": 5})
    reads, _ = await raw(replica, chat(marked("x"), max_tokens=6))
    data = whole(reads)
    assert streamed_text(data) == expected("s1", 0, 0, 6)
    assert data.endswith(b"0\r\n\r\n")
    assert len(reads) > len(data) / 200
    assert any(not part.endswith(b"\n") for _, part in reads)
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_the_trickle_begins_after_its_tokens(replica: ReplicaServer) -> None:
    await put(replica, "f1", "trickle", params={"bytes": 1, "ms": 60_000, "after_tokens": 3})
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=6)))
    await until(lambda: replica.snapshot()["decoded_tokens"] == 6, "all is decoded")
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it has begun")
    assert not task.done()
    await control(replica, "DELETE", "/behaviours/f1")
    assert streamed_text((await asyncio.wait_for(task, 5))[1]) == expected("s1", 0, 0, 6)
