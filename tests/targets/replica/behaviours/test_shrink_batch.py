"""`shrink_batch`: fewer requests run at once."""

from __future__ import annotations

import asyncio

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, marked, post, put, until


async def test_running_requests_continue_and_the_others_wait(replica: ReplicaServer) -> None:
    tasks = [asyncio.create_task(post(replica, chat(marked("x", turn=n), max_tokens=300))) for n in range(3)]
    await until(lambda: replica.snapshot()["running"] == 3, "three run")
    await put(replica, "f1", "shrink_batch", params={"max_sequences": 2})
    tasks += [asyncio.create_task(post(replica, chat(marked("x", turn=n), max_tokens=3))) for n in (3, 4)]
    await until(lambda: replica.snapshot()["waiting"] == 2, "two wait")
    assert replica.snapshot()["running"] == 3
    await control(replica, "DELETE", "/behaviours/f1")
    await until(lambda: replica.snapshot()["waiting"] == 0, "none waits any more")
    assert all(status == 200 for status, _ in await asyncio.gather(*tasks))
