"""The server: ports, pages, cold start, counters, close."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator

import aiohttp
import pytest

from reports.shared.errors import UserError
from targets.replica.server.server import ReplicaServer, serve
from tests.support.replica_harness import (
    TOKEN,
    chat,
    config,
    expected,
    marked,
    post,
    running,
    streamed_text,
    until,
)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


async def test_a_port_in_use_raises_a_user_error(taken_port: int) -> None:
    for change in ({"port": taken_port}, {"control_port": taken_port}):
        with pytest.raises(UserError, match=rf"gpu-0: 127\.0\.0\.1:{taken_port} is in use"):
            await serve(config(**change), TOKEN, asyncio.Event())


async def test_an_unknown_hardware_profile_raises_a_user_error() -> None:
    with pytest.raises(UserError):
        ReplicaServer(config(hardware="abacus"), TOKEN)


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/health/ready",
        "/v1/models",
        "/version",
        "/metrics",
        "/get_server_info",
        "/server_info",
        "/get_model_info",
    ],
)
async def test_pages_are_answered(replica: ReplicaServer, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(replica.url + path) as response:
        assert response.status == 200
        if response.content_type == "application/json":
            assert await response.json()


async def test_wrong_methods_are_405_and_unknown_paths_404(replica: ReplicaServer) -> None:
    async with aiohttp.ClientSession() as session:
        for method, path, status in (
            ("GET", "/v1/chat/completions", 405),
            ("POST", "/health", 405),
            ("GET", "/nowhere", 404),
        ):
            async with session.request(method, replica.url + path) as response:
                assert response.status == status
                assert (await response.json())["error"]["message"]


async def test_during_a_cold_start_the_replica_is_alive_but_not_ready() -> None:
    async with running(cold_start_s=0.3) as server, aiohttp.ClientSession() as session:

        async def status(path: str) -> int:
            async with session.get(server.url + path) as response:
                return response.status

        assert await status("/health") == 200
        assert await status("/health/ready") == 503
        assert (await post(server, chat(marked("hi"))))[0] == 503
        await until(lambda: server.ready, "the cold start ends")
        assert await status("/health/ready") == 200
        assert (await post(server, chat(marked("hi"))))[0] == 200


async def test_the_snapshot_counts_requests_and_tokens(replica: ReplicaServer) -> None:
    await asyncio.gather(*(post(replica, chat(marked("x", turn=turn), max_tokens=10)) for turn in range(5)))
    counted = replica.snapshot()
    assert counted["requests"] == 5
    assert counted["decoded_tokens"] == 50
    assert counted["running"] == counted["waiting"] == 0
    assert counted["token_lateness_ms"]["count"] == 50
    assert sum(counted["token_lateness_ms"]["buckets"].values()) == 50
    assert list(counted["token_lateness_ms"]["buckets"]) == ["1", "2", "3", "5", "10", "20", "50", "inf"]
    assert counted["hits"] == {}
    json.dumps(counted)


async def test_serve_finishes_requests_in_progress_and_ends() -> None:
    stop = asyncio.Event()
    found: list[ReplicaServer] = []
    life = asyncio.create_task(serve(config(), TOKEN, stop, started=found.append))
    await until(lambda: bool(found), "it has started")
    answer = asyncio.create_task(post(found[0], chat(marked("x"), max_tokens=40)))
    await until(lambda: found[0].snapshot()["running"] == 1, "a request is in progress")
    stop.set()
    status, body = await answer
    assert (status, streamed_text(body)) == (200, expected("s1", 0, 0, 40))
    await asyncio.wait_for(life, 10)
    with pytest.raises(aiohttp.ClientConnectorError):
        await post(found[0], chat("x"))
