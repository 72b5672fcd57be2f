"""`cut`: a stream ends early, in one of three ways."""

from __future__ import annotations

import asyncio
import json
from typing import get_args

import pytest

from targets.replica.delivery.stream import CutMode
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, expected, marked, put, streamed_text, until


async def raw(replica: ReplicaServer, max_tokens: int, *, stream: bool = True) -> tuple[bytes, type[Exception] | None]:
    """Returns all bytes until the connection or the chunked body ends, and the error if any."""
    host, port = replica.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(chat(marked("x"), max_tokens=max_tokens, stream=stream)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    data = b""
    try:
        async with asyncio.timeout(10):
            while not data.endswith(b"\r\n0\r\n\r\n") and (more := await reader.read(65536)):
                data += more
    except ConnectionResetError as error:
        return data, type(error)
    finally:
        writer.close()
    return data, None


ENDS = {"fin": (None, False), "rst": (ConnectionResetError, False), "clean": (None, True)}
"""By `how`: the error of the connection, and whether the body ends properly."""


@pytest.mark.parametrize("how", get_args(CutMode))
async def test_each_kind_of_cut_ends_the_stream_in_its_own_way(replica: ReplicaServer, how: str) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": 6, "how": how})
    data, error = await raw(replica, 20)
    assert (error, data.endswith(b"0\r\n\r\n")) == ENDS[how]
    assert len(set(ENDS.values())) == len(get_args(CutMode))


@pytest.mark.parametrize("after_tokens", [0, 1, 6])
async def test_fin_closes_in_the_middle_of_the_body(replica: ReplicaServer, after_tokens: int) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": after_tokens, "how": "fin"})
    data, error = await raw(replica, 20)
    assert error is None
    assert data.startswith(b"HTTP/1.1 200 OK")
    assert streamed_text(data) == expected("s1", 0, 0, after_tokens)
    assert not data.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in data
    await until(lambda: replica.snapshot()["running"] == 0, "the engine has dropped the request")
    assert replica.snapshot()["hits"] == {"f1": 1}


@pytest.mark.parametrize("after_tokens", [0, 6])
async def test_rst_resets_the_connection_after_the_tokens(replica: ReplicaServer, after_tokens: int) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": after_tokens, "how": "rst"})
    data, error = await raw(replica, 20)
    assert error is ConnectionResetError
    assert data.startswith(b"HTTP/1.1 200 OK")
    assert streamed_text(data) == expected("s1", 0, 0, after_tokens)
    await until(lambda: replica.snapshot()["running"] == 0, "the engine has dropped the request")


@pytest.mark.parametrize("after_tokens", [0, 6])
async def test_clean_ends_the_body_without_a_terminal_event(replica: ReplicaServer, after_tokens: int) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": after_tokens, "how": "clean"})
    data, error = await raw(replica, 20)
    assert error is None
    assert data.endswith(b"0\r\n\r\n")
    assert streamed_text(data) == expected("s1", 0, 0, after_tokens)
    assert b'finish_reason":"stop' not in data
    assert b"[DONE]" not in data
    await until(lambda: replica.snapshot()["running"] == 0, "the engine has dropped the request")


async def test_a_cut_after_the_last_token_omits_the_terminal_event(replica: ReplicaServer) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": 8, "how": "clean"})
    data, _ = await raw(replica, 8)
    assert streamed_text(data) == expected("s1", 0, 0, 8)
    assert b"[DONE]" not in data


async def test_a_shorter_answer_is_not_hit(replica: ReplicaServer) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": 9})
    data, _ = await raw(replica, 8)
    assert b"[DONE]" in data
    assert replica.snapshot()["hits"] == {"f1": 0}


async def test_a_stream_in_progress_is_cut_too(replica: ReplicaServer) -> None:
    task = asyncio.create_task(raw(replica, 2000))
    await until(lambda: replica.snapshot()["decoded_tokens"] >= 5, "it is in progress")
    await put(replica, "f1", "cut", params={"after_tokens": 2})
    data, _ = await task
    text = streamed_text(data)
    assert len(text) >= 20
    assert text == expected("s1", 0, 0, len(text) // 4)


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_cut_of_an_answer_that_is_not_streamed_sends_no_bytes(replica: ReplicaServer, how: str) -> None:
    await put(replica, "f1", "cut", params={"after_tokens": 3, "how": how})
    data, error = await raw(replica, 8, stream=False)
    assert data == b""
    assert (error is ConnectionResetError) == (how == "rst")
