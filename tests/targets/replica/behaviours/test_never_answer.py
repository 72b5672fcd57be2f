"""`never_answer`: no answer on an open connection while the behaviour is active."""

from __future__ import annotations

import asyncio

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, streamed_text, until


async def test_requests_do_not_reach_the_engine_and_are_served_at_the_end(replica: ReplicaServer) -> None:
    await put(replica, "f1", "never_answer")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it waits")
    assert replica.snapshot()["running"] == 0
    assert not task.done()
    await control(replica, "DELETE", "/behaviours/f1")
    assert streamed_text((await task)[1]) == expected("s1", 0, 0, 4)


async def test_two_behaviours_hold_a_request_until_both_end(replica: ReplicaServer) -> None:
    await put(replica, "f1", "never_answer")
    await put(replica, "f2", "never_answer")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it waits for the first")
    await control(replica, "DELETE", "/behaviours/f1")
    await until(lambda: replica.snapshot()["hits"]["f2"] == 1, "it waits for the second")
    assert not task.done()
    await control(replica, "DELETE", "/behaviours/f2")
    assert (await task)[0] == 200


async def test_streams_in_progress_continue_and_a_held_client_may_disconnect(replica: ReplicaServer) -> None:
    running = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=40)))
    await until(lambda: replica.snapshot()["running"] == 1, "it is in progress")
    await put(replica, "f1", "never_answer")
    task = asyncio.create_task(post(replica, chat(marked("x", turn=1), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it waits")
    task.cancel()
    assert streamed_text((await running)[1]) == expected("s1", 0, 0, 40)
    await control(replica, "DELETE", "/behaviours/f1")
