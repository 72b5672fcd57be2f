"""`slow_headers`: the head of a response is slow, its body is not."""

from __future__ import annotations

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, expected, marked, put, raw, streamed_text, whole


async def test_the_head_is_slow_and_the_body_follows_with_its_end(replica: ReplicaServer) -> None:
    await put(replica, "f1", "slow_headers", params={"ms": 400})
    reads, error = await raw(replica, chat(marked("x"), max_tokens=4))
    assert error is None
    data = whole(reads)
    assert streamed_text(data) == expected("s1", 0, 0, 4)
    assert data.endswith(b"0\r\n\r\n")
    head_ends = data.index(b"\r\n\r\n") + 4
    seen, ended_at, last_at = 0, 0.0, reads[-1][0]
    for at, part in reads:
        seen += len(part)
        if seen >= head_ends:
            ended_at = at
            break
    assert ended_at - reads[0][0] >= 0.35
    assert last_at - ended_at < 0.35
    assert len(reads) > 10
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_an_answer_that_is_not_streamed_has_a_slow_head_too(replica: ReplicaServer) -> None:
    await put(replica, "f1", "slow_headers", params={"ms": 200})
    reads, _ = await raw(replica, chat(marked("x"), max_tokens=4, stream=False), Connection="close")
    assert expected("s1", 0, 0, 4).encode() in whole(reads)
    assert reads[-1][0] - reads[0][0] >= 0.15


async def test_after_the_lease_the_rest_of_the_head_is_sent_at_once(replica: ReplicaServer) -> None:
    await put(replica, "f1", "slow_headers", params={"ms": 3_600_000}, lease_s=2)
    reads, _ = await raw(replica, chat(marked("x"), max_tokens=4))
    assert streamed_text(whole(reads)) == expected("s1", 0, 0, 4)
    assert (await control(replica, "GET", "/behaviours"))[1] == {}
