"""`stall`: a stream stops sending while its connection stays open."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, post, put, streamed_text, until


async def read_until(response: aiohttp.ClientResponse, tokens: int) -> bytes:
    data = b""
    async with asyncio.timeout(10):
        while len(streamed_text(data)) < 4 * tokens:
            data += await response.content.readline()
    return data


async def test_a_stream_stops_after_its_tokens_and_resumes_after_a_delete(replica: ReplicaServer) -> None:
    await put(replica, "f1", "stall", params={"after_tokens": 5})
    async with (
        aiohttp.ClientSession() as session,
        session.post(replica.url + "/v1/chat/completions", json=chat(marked("x"), max_tokens=20)) as response,
    ):
        data = await read_until(response, 5)
        await until(lambda: replica.snapshot()["decoded_tokens"] == 20, "the engine goes on")
        assert not response.content.is_eof()
        assert response.content.total_bytes - len(data) < 40  # the rest of the fifth token's event
        assert replica.snapshot()["hits"] == {"f1": 1}
        await control(replica, "DELETE", "/behaviours/f1")
        data += await response.read()
    assert streamed_text(data) == expected("s1", 0, 0, 20)
    assert data.endswith(b"data: [DONE]\n\n")


async def test_with_zero_tokens_no_headers_are_sent(replica: ReplicaServer) -> None:
    await put(replica, "f1", "stall")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "the first token is held")
    await until(lambda: replica.snapshot()["decoded_tokens"] == 4, "all is decoded")
    assert not task.done()
    await control(replica, "DELETE", "/behaviours/f1")
    assert streamed_text((await task)[1]) == expected("s1", 0, 0, 4)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_stream_resumes_when_the_lease_expires(replica: ReplicaServer, stream: bool) -> None:
    await put(replica, "f1", "stall", params={"after_tokens": 2}, lease_s=2)
    status, _ = await asyncio.wait_for(post(replica, chat(marked("x"), max_tokens=4, stream=stream)), 10)
    assert status == 200
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_a_stream_resumes_after_for_s_and_is_not_held_again(replica: ReplicaServer) -> None:
    await put(replica, "f1", "stall", params={"after_tokens": 2, "for_s": 0.2})
    start = asyncio.get_running_loop().time()
    _, body = await asyncio.wait_for(post(replica, chat(marked("x"), max_tokens=8)), 10)
    assert asyncio.get_running_loop().time() - start >= 0.2
    assert streamed_text(body) == expected("s1", 0, 0, 8)
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_a_stream_in_progress_is_held_too(replica: ReplicaServer) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(replica.url + "/v1/chat/completions", json=chat(marked("x"), max_tokens=60)) as response,
    ):
        data = await read_until(response, 3)
        await put(replica, "f1", "stall")
        await until(lambda: replica.snapshot()["decoded_tokens"] == 60, "the engine goes on")
        assert not response.content.is_eof()
        assert replica.snapshot()["hits"] == {"f1": 1}
        await control(replica, "DELETE", "/behaviours/f1")
        data += await response.read()
    assert streamed_text(data) == expected("s1", 0, 0, 60)


async def test_a_client_may_disconnect_from_a_held_stream(replica: ReplicaServer) -> None:
    await put(replica, "f1", "stall")
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=3000)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it is held")
    task.cancel()
    await until(lambda: replica.snapshot()["running"] == 0, "the engine has dropped the request")


async def test_a_replaced_stall_keeps_holding_for_its_own_duration(replica: ReplicaServer) -> None:
    await put(replica, "f1", "stall", params={"after_tokens": 2, "for_s": 0.3})
    task = asyncio.create_task(post(replica, chat(marked("x"), max_tokens=4)))
    await until(lambda: replica.snapshot()["hits"]["f1"] == 1, "it is held")
    await until(lambda: replica.snapshot()["decoded_tokens"] == 4, "all is decoded")
    await put(replica, "f1", "stall", params={"after_tokens": 2})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.5)  # past the end of the first one
    assert replica.snapshot()["hits"] == {"f1": 2}
    await put(replica, "f1", "latency", params={"ms": 1})
    assert streamed_text((await asyncio.wait_for(task, 5))[1]) == expected("s1", 0, 0, 4)
