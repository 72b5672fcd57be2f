"""`no_terminal`: all tokens, but no terminal event."""

from __future__ import annotations

import pytest

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, post, put, streamed_text


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_all_tokens_are_sent_but_no_terminal_event(replica: ReplicaServer, path: str) -> None:
    await put(replica, "f1", "no_terminal")
    status, body = await post(replica, chat(marked("x"), max_tokens=6), path)
    assert status == 200  # the body ended properly, else `post` would have raised
    if path.endswith("completions"):
        assert streamed_text(body) == expected("s1", 0, 0, 6)
    assert all(expected("s1", 0, n, n + 1).encode() in body for n in range(6))
    assert not any(word in body for word in (b"[DONE]", b'finish_reason":"', b"message_stop", b"message_delta"))
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_an_answer_that_is_not_streamed_is_not_hit(replica: ReplicaServer) -> None:
    await put(replica, "f1", "no_terminal")
    assert b'finish_reason":"stop' in (await post(replica, chat(marked("x"), stream=False)))[1]
    assert replica.snapshot()["hits"] == {"f1": 0}
