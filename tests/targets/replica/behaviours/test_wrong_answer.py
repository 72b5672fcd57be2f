"""`wrong_answer`: correct form, but the tokens of another answer."""

from __future__ import annotations

import json

import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import TOOLS, chat, expected, marked, post, put, streamed_text


async def test_the_tokens_change_after_the_given_count_and_the_length_does_not(replica: ReplicaServer) -> None:
    await put(replica, "f1", "wrong_answer", params={"after_tokens": 2})
    _, body = await post(replica, chat(marked("x"), max_tokens=6))
    text, right = streamed_text(body), expected("s1", 0, 0, 6)
    assert len(text) == 24
    assert text[:8] == right[:8]
    assert all(text[at : at + 4] != right[at : at + 4] for at in range(8, 24, 4))
    assert body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_answers_of_each_api_streamed_or_not_can_be_wrong(replica: ReplicaServer, path: str) -> None:
    await put(replica, "f1", "wrong_answer")
    tools = {"tools": TOOLS} if path.endswith("completions") else {}
    for n, stream in enumerate((True, False)):
        status, body = await post(replica, chat(marked("x", turn=n), max_tokens=6, stream=stream, **tools), path)
        assert status == 200
        assert expected("s1", n, 0, 6).encode() not in body
        if not stream:
            json.loads(body)
    assert replica.snapshot()["hits"] == {"f1": 2}
