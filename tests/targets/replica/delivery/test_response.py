"""The HTTP framing of answers: keep-alive, HTTP/1.0, heads and chunks."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from aiohttp import HttpVersion, HttpVersion10, HttpVersion11, web

from targets.replica.delivery.response import Framing
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, streamed_text


def framing(version: HttpVersion = HttpVersion11, *, keep_alive: bool = True, streaming: bool = True) -> Framing:
    return Framing(cast(web.BaseRequest, SimpleNamespace(version=version, keep_alive=keep_alive)), streaming)


def test_a_chunk_has_its_length_in_hex_and_the_last_one_ends_the_body() -> None:
    assert framing().chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"
    assert framing().chunk(b"xy", head=b"HEAD", last=True) == b"HEAD2\r\nxy\r\n0\r\n\r\n"


def test_http_1_0_has_no_chunks() -> None:
    old = framing(HttpVersion10)
    assert (old.chunk(b"xy", head=b"HEAD", last=True), old.end) == (b"HEADxy", b"")
    assert b"chunked" not in old.head()


@pytest.mark.parametrize(
    ("version", "keep_alive", "streaming", "reusable"),
    [
        (HttpVersion11, True, True, True),
        (HttpVersion11, False, True, False),
        (HttpVersion10, True, True, False),  # only the end of the connection ends such a body
        (HttpVersion10, True, False, True),
    ],
)
def test_a_connection_is_reusable_if_the_body_has_an_end(
    version: HttpVersion, keep_alive: bool, streaming: bool, reusable: bool
) -> None:
    found = framing(version, keep_alive=keep_alive, streaming=streaming)
    assert found.reusable == reusable
    assert (b"Connection: close" in found.head()) == (not reusable or version is HttpVersion10)


async def test_one_connection_serves_streamed_and_unstreamed_answers(replica: ReplicaServer) -> None:
    opened = 0

    async def count(*_: object) -> None:
        nonlocal opened
        opened += 1

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(count)
    async with aiohttp.ClientSession(trace_configs=[tracing]) as session:
        for turn in range(4):
            body = chat(marked("x", turn=turn), max_tokens=4, stream=turn % 2 == 0)
            async with session.post(replica.url + "/v1/chat/completions", json=body) as response:
                data = await response.read()
            wanted = expected("s1", turn, 0, 4)
            if turn % 2 == 0:
                assert streamed_text(data) == wanted
            else:
                assert json.loads(data)["choices"][0]["message"]["content"] == wanted
    assert opened == 1


async def test_an_http_1_0_body_ends_with_the_connection(replica: ReplicaServer) -> None:
    host, port = replica.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(chat(marked("x"), max_tokens=4)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert b"chunked" not in answer
    assert streamed_text(answer) == expected("s1", 0, 0, 4)
    assert answer.endswith(b"data: [DONE]\n\n")
