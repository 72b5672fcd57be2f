"""`corrupt`: one corrupt event in a stream that goes on."""

from __future__ import annotations

import json

import pytest

from reports.shared.tokens import token_stream
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, post, put


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(("how", "starts"), [("data", b"data: {"), ("line", b"\xef\xbf\xbd{")])
async def test_only_the_event_after_the_tokens_is_corrupt(
    replica: ReplicaServer, path: str, how: str, starts: bytes
) -> None:
    await put(replica, "f1", "corrupt", params={"after_tokens": 3, "how": how})
    _, body = await post(replica, chat(marked("x"), max_tokens=6), path)
    token = token_stream("s1/main#0", 6)[12:16].encode()
    (event,) = [event for event in body.split(b"\n\n") if token in event]
    line = event.split(b"\n")[-1]
    assert line.startswith(starts)
    assert line.endswith(b"}")
    if how == "data":
        with pytest.raises(json.JSONDecodeError):
            json.loads(line.removeprefix(b"data: "))
    others = [line for line in body.split(b"\n") if line.startswith(b"data: {") and token not in line]
    assert all(json.loads(line[6:]) for line in others)
    assert sum(expected("s1", 0, n, n + 1).encode() in b"".join(others) for n in range(6)) == 5
    assert body.rstrip().endswith(b"data: [DONE]" if path.endswith("completions") else b'{"type":"message_stop"}')
    assert replica.snapshot()["hits"] == {"f1": 1}


async def test_an_answer_that_is_not_streamed_loses_half_its_body(replica: ReplicaServer) -> None:
    await put(replica, "f1", "corrupt")
    status, body = await post(replica, chat(marked("x"), max_tokens=6, stream=False))
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
