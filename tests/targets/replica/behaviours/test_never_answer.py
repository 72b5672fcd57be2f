"""`never_answer`: no answer, and an open connection, as long as it is on."""

from __future__ import annotations

import asyncio

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, streamed_text, until


async def test_the_engine_never_sees_a_request_and_who_still_waits_is_served_at_the_end(
    replica: ReplicaServer,
) -> None:
    await put(replica, "f1", "never_answer")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it waits")
    assert replica.snapshot()["running"] == 0
    assert not task.done()
    await control(replica, "DELETE", "/behaviours/f1")
    assert streamed_text((await task)[1]) == expected("s1", 0, 0, 4)


async def test_two_hold_until_both_are_over(replica: ReplicaServer) -> None:
    await put(replica, "f1", "never_answer")
    await put(replica, "f2", "never_answer")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it waits for the first")
    await control(replica, "DELETE", "/behaviours/f1")
    await until(lambda: replica.snapshot()["hits"]["f2"] == 1, "it waits for the second")
    assert not task.done()
    await control(replica, "DELETE", "/behaviours/f2")
    assert (await task)[0] == 200


async def test_streams_under_way_are_left_alone_and_a_client_may_leave(replica: ReplicaServer) -> None:
    under_way = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=40)))
    await until(lambda: replica.snapshot()["running"] == 1, "it is under way")
    await put(replica, "f1", "never_answer")
    task = asyncio.create_task(post(replica, chat(marked("x", turn=1), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it waits")
    task.cancel()
    assert streamed_text((await under_way)[1]) == expected("s1", 0, 0, 40)
    await control(replica, "DELETE", "/behaviours/f1")
