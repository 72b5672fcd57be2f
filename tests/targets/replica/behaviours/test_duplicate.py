"""`duplicate`: a token is sent twice."""

from __future__ import annotations

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, post, put, streamed_text


async def test_the_last_token_is_sent_again_and_the_rest_follows(replica: ReplicaServer) -> None:
    await put(replica, "f1", "duplicate", params={"after_tokens": 3})
    _, body = await post(replica, chat(marked("x"), max_tokens=6))
    assert streamed_text(body) == expected("s1", 0, 0, 3) + expected("s1", 0, 2, 6)
    assert body.endswith(b"data: [DONE]\n\n")
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_an_answer_that_is_not_streamed_is_not_hit(replica: ReplicaServer) -> None:
    await put(replica, "f1", "duplicate")
    _, body = await post(replica, chat(marked("x"), max_tokens=6, stream=False))
    assert expected("s1", 0, 0, 6).encode() in body
    assert replica.snapshot()["hits"] == {"f1": 0}
