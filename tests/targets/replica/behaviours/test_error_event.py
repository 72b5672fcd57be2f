"""`error_event`: an answer with status 200 ends with an error."""

from __future__ import annotations

import json

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, post, put, raw, streamed_text, until, whole


async def test_the_error_has_the_format_of_chat_completions(replica: ReplicaServer) -> None:
    await put(replica, "f1", "error_event", params={"after_tokens": 3, "message": "out of memory"})
    reads, error = await raw(replica, chat(marked("x"), max_tokens=400))
    data = whole(reads)
    assert (error, data.endswith(b"0\r\n\r\n")) == (None, True)
    before, _, last = data.removesuffix(b"\n\n\r\n0\r\n\r\n").rpartition(b"data: ")
    assert streamed_text(before) == expected("s1", 0, 0, 3)
    assert json.loads(last)["error"] == {"message": "out of memory", "type": "server_error", "param": None, "code": 500}
    await until(lambda: replica.snapshot()["running"] == 0, "the engine has dropped the request")
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_the_error_has_the_format_of_the_messages_api(replica: ReplicaServer) -> None:
    await put(replica, "f1", "error_event")
    _, body = await post(replica, chat(marked("x")), "/v1/messages")
    assert body.startswith(b"event: error\ndata: {")
    assert json.loads(body.partition(b"data: ")[2])["error"]["type"] == "overloaded_error"


async def test_the_body_of_an_answer_that_is_not_streamed_is_the_error(replica: ReplicaServer) -> None:
    await put(replica, "f1", "error_event", params={"after_tokens": 2})
    status, body = await post(replica, chat(marked("x"), stream=False))
    assert (status, list(json.loads(body))) == (200, ["error"])
