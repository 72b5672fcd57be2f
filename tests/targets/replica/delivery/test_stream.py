"""The stream of an answer: slow readers, and the kinds of corruption and of cuts."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import get_args

from targets.replica.delivery.stream import CORRUPTIONS, Corruption
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, streamed_text, until


def test_every_kind_of_corruption_is_implemented_and_changes_an_event() -> None:
    event = b'event: delta\ndata: {"text":"abcd"}\n\n'
    assert set(CORRUPTIONS) == set(get_args(Corruption))
    assert len({event, *(corrupt(event) for corrupt in CORRUPTIONS.values())}) == 1 + len(CORRUPTIONS)


async def test_a_slow_reader_gets_every_token(replica: ReplicaServer) -> None:
    host, port = replica.url.removeprefix("http://").split(":")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=slow, limit=2048)
    body = json.dumps(chat(marked("x"), max_tokens=600)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await until(
        lambda: replica.snapshot()["decoded_tokens"] >= 600, "all tokens are decoded, none is read", within_s=30
    )
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert streamed_text(answer) == expected("s1", 0, 0, 600)
