"""`lying_health`: the health checks answer 200, but no request is served."""

from __future__ import annotations

import asyncio
from typing import get_args, get_type_hints

import aiohttp

from targets.replica.behaviours.lying_health import LyingHealth
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, running, streamed_text, until


async def health(replica: ReplicaServer) -> list[int]:
    async with aiohttp.ClientSession() as http:
        return [(await http.get(replica.url + path)).status for path in ("/health", "/health/ready")]


def test_each_way_to_lie_treats_new_requests_differently() -> None:
    ways = get_args(get_type_hints(LyingHealth)["how"])
    treatments = {how: (LyingHealth(how=how).holds, LyingHealth(how=how).answer() is not None) for how in ways}
    assert treatments == {"silent": (True, False), "failing": (False, True)}


async def test_silent_holds_running_and_new_requests_until_the_end(replica: ReplicaServer) -> None:
    tasks = [asyncio.create_task(post(replica, chat(marked("x"), max_tokens=200)))]
    await until(lambda: replica.snapshot()["decoded_tokens"] > 5, "it is in progress")
    await put(replica, "f1", "lying_health")
    tasks += [asyncio.create_task(post(replica, chat(marked("x", turn=1), max_tokens=4)))]
    await until(lambda: replica.snapshot()["hits"]["f1"] == 2, "both are held")
    await until(lambda: replica.snapshot()["decoded_tokens"] == 200, "the engine goes on")
    assert not any(task.done() for task in tasks)
    assert await health(replica) == [200, 200]
    await control(replica, "DELETE", "/behaviours/f1")
    texts = [streamed_text(body) for _, body in await asyncio.gather(*tasks)]
    assert texts == [expected("s1", 0, 0, 200), expected("s1", 1, 0, 4)]


async def test_failing_answers_500_and_cuts_running_streams(replica: ReplicaServer) -> None:
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=2000)))
    await until(lambda: replica.snapshot()["decoded_tokens"] > 5, "it is in progress")
    await put(replica, "f1", "lying_health", params={"how": "failing"})
    assert (await post(replica, chat(marked("x", turn=1))))[0] == 500
    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], aiohttp.ClientPayloadError)
    assert await health(replica) == [200, 200]
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 2})
    assert (await post(replica, chat(marked("x", turn=2))))[0] == 200


async def test_a_replica_that_is_still_loading_reports_ready() -> None:
    async with running(cold_start_s=60) as replica:
        assert await health(replica) == [200, 503]
        await put(replica, "f1", "lying_health", params={"how": "failing"})
        assert await health(replica) == [200, 200]
