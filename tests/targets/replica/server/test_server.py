"""The server itself: probes, ports, clients that leave, keep-alive, drain."""

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
    MODEL,
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


async def test_a_port_in_use_is_the_users_to_mend(taken_port: int) -> None:
    for change in ({"port": taken_port}, {"control_port": taken_port}):
        with pytest.raises(UserError, match=rf"gpu-0: 127\.0\.0\.1:{taken_port} is in use"):
            await serve(config(**change), TOKEN, asyncio.Event())


async def test_an_unknown_hardware_profile_is_the_users_to_mend() -> None:
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
async def test_probes_are_answered(replica: ReplicaServer, path: str) -> None:
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


async def test_a_cold_start_is_alive_but_not_ready_and_ends() -> None:
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


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_headers_is_cancelled_in_the_engine(
    replica: ReplicaServer, stream: bool
) -> None:
    async def ask() -> None:
        await post(replica, chat(marked("word " * 60_000), max_tokens=2000, stream=stream))

    task = asyncio.create_task(ask())
    await until(lambda: replica.snapshot()["running"] == 1, "the request is in the engine")
    task.cancel()
    await until(lambda: replica.snapshot()["running"] == 0, "the request has left the engine")
    assert replica.snapshot()["decoded_tokens"] < 2000


async def test_a_client_that_leaves_a_stream_is_cancelled_in_the_engine(replica: ReplicaServer) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(
            replica.url + "/v1/chat/completions", json=chat(marked("x"), max_tokens=5000)
        ) as answer:
            await answer.content.readline()
            assert replica.snapshot()["running"] == 1
            answer.close()
        await until(lambda: replica.snapshot()["running"] == 0, "the request has left the engine")
    assert replica.snapshot()["decoded_tokens"] < 5000


async def test_one_connection_serves_many_answers_of_both_kinds(replica: ReplicaServer) -> None:
    opened = 0

    async def count(*_: object) -> None:
        nonlocal opened
        opened += 1

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(count)
    async with aiohttp.ClientSession(trace_configs=[tracing]) as session:
        for turn in range(4):
            body = chat(marked("x", turn=turn), max_tokens=4, stream=turn % 2 == 0)
            async with session.post(replica.url + "/v1/chat/completions", json=body) as response:
                data = await response.read()
            wanted = expected("s1", turn, 0, 4)
            if turn % 2 == 0:
                assert streamed_text(data) == wanted
            else:
                assert json.loads(data)["choices"][0]["message"]["content"] == wanted
    assert opened == 1


async def test_http_1_0_gets_a_body_that_ends_with_the_connection(replica: ReplicaServer) -> None:
    host, port = replica.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(chat(marked("x"), max_tokens=4)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert b"chunked" not in answer
    assert streamed_text(answer) == expected("s1", 0, 0, 4)
    assert answer.endswith(b"data: [DONE]\n\n")


async def test_a_reader_that_is_slow_gets_every_token_in_the_end(replica: ReplicaServer) -> None:
    host, port = replica.url.removeprefix("http://").split(":")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=slow, limit=2048)
    body = json.dumps(chat(marked("x"), max_tokens=600)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await until(lambda: replica.snapshot()["decoded_tokens"] >= 600, "all is decoded, nothing read", within_s=30)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert streamed_text(answer) == expected("s1", 0, 0, 600)


async def test_the_snapshot_counts_what_happened(replica: ReplicaServer) -> None:
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


async def test_serve_drains_what_is_under_way_and_ends() -> None:
    stop = asyncio.Event()
    found: list[ReplicaServer] = []
    life = asyncio.create_task(serve(config(), TOKEN, stop, started=found.append))
    await until(lambda: bool(found), "it has started")
    answer = asyncio.create_task(post(found[0], chat(marked("x"), max_tokens=40)))
    await until(lambda: found[0].snapshot()["running"] == 1, "a request is under way")
    stop.set()
    status, body = await answer
    assert (status, streamed_text(body)) == (200, expected("s1", 0, 0, 40))
    await asyncio.wait_for(life, 10)
    with pytest.raises(aiohttp.ClientConnectorError):
        await post(found[0], chat("x"))


async def test_a_body_of_600_kb_is_answered(replica: ReplicaServer) -> None:
    messages = [{"role": "user", "content": "word " * 80_000}, {"role": "user", "content": marked("y")}]
    status, body = await post(
        replica, {"model": MODEL, "messages": messages, "max_tokens": 3, "unknown": "z" * 200_000}
    )
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["content"] == expected("s1", 0, 0, 3)


DEEP = b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": 3, "tools": %b}' % (
    b"[" * 99_999 + b"]" * 99_999
)

LONG_TURN = b'{"messages": [{"role": "user", "content": "[session s/a turn %b]"}], "max_tokens": 3}' % (b"1" * 5_000)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(("body", "encoding"), [(DEEP, "identity"), (LONG_TURN, "identity"), (b"no gzip", "gzip")])
async def test_a_body_that_cannot_be_read_is_the_callers_mistake(
    replica: ReplicaServer, path: str, body: bytes, encoding: str
) -> None:
    headers = {"Content-Encoding": encoding}
    async with (
        aiohttp.ClientSession() as session,
        session.post(replica.url + path, data=body, headers=headers) as response,
    ):
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"
