"""Model requests: clients that disconnect, large and invalid bodies."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import MODEL, chat, expected, marked, post, until


@pytest.mark.parametrize("stream", [True, False])
async def test_a_disconnect_before_the_headers_cancels_the_request_in_the_engine(
    replica: ReplicaServer, stream: bool
) -> None:
    async def send() -> None:
        await post(replica, chat(marked("word " * 60_000), max_tokens=2000, stream=stream))

    task = asyncio.create_task(send())
    await until(lambda: replica.snapshot()["running"] == 1, "the request is in the engine")
    task.cancel()
    await until(lambda: replica.snapshot()["running"] == 0, "the request has left the engine")
    assert replica.snapshot()["decoded_tokens"] < 2000


async def test_a_disconnect_during_a_stream_cancels_the_request_in_the_engine(replica: ReplicaServer) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(
            replica.url + "/v1/chat/completions", json=chat(marked("x"), max_tokens=5000)
        ) as answer:
            await answer.content.readline()
            assert replica.snapshot()["running"] == 1
            answer.close()
        await until(lambda: replica.snapshot()["running"] == 0, "the request has left the engine")
    assert replica.snapshot()["decoded_tokens"] < 5000


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
async def test_an_unreadable_body_is_a_client_error(
    replica: ReplicaServer, path: str, body: bytes, encoding: str
) -> None:
    headers = {"Content-Encoding": encoding}
    async with (
        aiohttp.ClientSession() as session,
        session.post(replica.url + path, data=body, headers=headers) as response,
    ):
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"
