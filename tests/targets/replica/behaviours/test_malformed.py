"""`malformed`: the response is not HTTP, or its body is not JSON."""

from __future__ import annotations

import json

import aiohttp
import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, marked, post, put, raw, whole


async def test_http_sends_bytes_that_are_not_a_response_and_closes(replica: ReplicaServer) -> None:
    await put(replica, "f1", "malformed")
    reads, _ = await raw(replica, chat(marked("x")))
    assert whole(reads).startswith(b"\x16\x03\x01")
    with pytest.raises(aiohttp.ClientError):
        await post(replica, chat(marked("x", turn=1)))
    assert replica.snapshot()["hits"] == {"f1": 2}
    assert replica.snapshot()["decoded_tokens"] == 0


async def test_json_answers_200_with_a_body_that_is_not_json(replica: ReplicaServer) -> None:
    await put(replica, "f1", "malformed", params={"how": "json"})
    status, body = await post(replica, chat(marked("x"), stream=False))
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
