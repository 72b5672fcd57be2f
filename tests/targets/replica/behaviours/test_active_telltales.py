"""What a client sees of a behaviour: its effect, never its name or its id, so that an exercise can withhold it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import aiohttp
import pytest

from targets.replica.behaviours import BEHAVIOURS
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, marked, put
from tests.support.telltales import Telltales

FAULT = "withheld-4711"
PARAMS: dict[str, dict[str, Any]] = {
    "latency": {"ms": 5},
    "slow_headers": {"ms": 20},
    "slow_tokens": {"ms": 1},
    "stall": {"for_s": 0.01},
    "trickle": {"bytes": 64, "ms": 1},
    "slow_prefill": {"factor": 2},
    "slow_decode": {"factor": 2},
    "shrink_kv": {"lost": 0.5},
    "shrink_batch": {"max_sequences": 4},
}
PAGES = ("/health", "/health/ready", "/metrics", "/v1/models", "/version", "/get_server_info", "/nothing")
SEARCH = Telltales(kinds=[*BEHAVIOURS, "behaviour", "injected", "fault"], ids=[FAULT])


async def answer(replica: ReplicaServer, path: str, stream: bool) -> bytes:
    """The bytes of an answer, until its end or for half a second: what stalls has told by then what it tells."""
    host, port = replica.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(chat(marked("x"), stream=stream)).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        async with asyncio.timeout(0.5):
            while part := await reader.read(65536):
                received += part
    writer.close()
    return received


async def told(replica: ReplicaServer) -> set[str]:
    """The telltales in everything that a client can read: streams and whole answers of both APIs, every page."""
    asked = [(path, stream) for path in ("/v1/chat/completions", "/v1/messages") for stream in (True, False)]
    answers = await asyncio.gather(*(answer(replica, path, stream) for path, stream in asked))
    seen = {f"{path} {stream}": got for (path, stream), got in zip(asked, answers, strict=True)}
    async with aiohttp.ClientSession() as session:
        for page in PAGES:
            async with session.get(replica.url + page) as response:
                seen[page] = str(response.raw_headers).encode() + await response.read()
    return {found.word for where, data in seen.items() for found in SEARCH.in_bytes(where, data)}


@pytest.mark.parametrize("kind", BEHAVIOURS)
async def test_no_response_names_a_behaviour(replica: ReplicaServer, kind: str) -> None:
    before = await told(replica)
    await put(replica, FAULT, kind, params=PARAMS.get(kind, {}))
    assert await told(replica) - before == set()
