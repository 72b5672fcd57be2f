"""`http_error`: an error status in place of an answer."""

from __future__ import annotations

import json

import aiohttp

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, marked, post, put


async def test_status_retry_after_and_body_are_those_given(replica: ReplicaServer) -> None:
    params = {"status": 429, "retry_after_s": 2.5, "body": '{"slow": "down"}'}
    await put(replica, "f1", "http_error", params=params)
    async with (
        aiohttp.ClientSession() as session,
        session.post(replica.url + "/v1/chat/completions", json=chat(marked("x"))) as response,
    ):
        assert response.status == 429
        assert response.headers["Retry-After"] == "2.5"
        assert await response.json() == {"slow": "down"}
    assert replica.snapshot()["decoded_tokens"] == 0
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_without_a_body_the_error_has_the_format_of_the_api(replica: ReplicaServer) -> None:
    await put(replica, "f1", "http_error", params={"status": 529})
    status, body = await post(replica, chat(marked("x")))
    assert (status, json.loads(body)["error"]["type"]) == (529, "server_error")
    status, body = await post(replica, chat(marked("x")), "/v1/messages")
    assert (status, json.loads(body)["error"]["type"]) == (529, "overloaded_error")


async def test_health_checks_are_not_affected(replica: ReplicaServer) -> None:
    await put(replica, "f1", "http_error")
    async with aiohttp.ClientSession() as session, session.get(replica.url + "/health/ready") as response:
        assert response.status == 200
