"""Helpers of the replica's tests: a server in this process, conversations, raw HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from opentelemetry.trace import Tracer

from reports.shared.control_port import TOKEN_HEADER
from reports.shared.tokens import Marker, marker_text, token_stream
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.server import ReplicaServer

TOKEN = "the-token-of-this-run"
MODEL = "llama-3.1-8b"
HARDWARE = "llama-8b-h100"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "Does it.",
            "parameters": {"type": "object", "properties": {"input": {"type": "string"}}},
        },
    }
    for name in ("read_file", "edit_file", "run_tests")
]
ANTHROPIC_TOOLS: list[Any] = [
    {"name": tool["function"]["name"], "description": "Does it.", "input_schema": tool["function"]["parameters"]}
    for tool in TOOLS
]


def config(**changes: Any) -> ReplicaConfig:
    values = {"name": "gpu-0", "pool": "gpu", "cloud": "aws", "model": MODEL, "hardware": HARDWARE} | changes
    return ReplicaConfig(**values)


@asynccontextmanager
async def running(tracer: Tracer | None = None, **changes: Any) -> AsyncIterator[ReplicaServer]:
    server = ReplicaServer(config(**changes), TOKEN, tracer=tracer)
    await server.start()
    try:
        yield server
    finally:
        await server.close(drain_s=0)


def marked(text: str, session: str = "s1", turn: int = 0) -> str:
    return f"{text} {marker_text(Marker(session, 'main', turn))}"


def expected(session: str, turn: int, start: int, stop: int) -> str:
    return token_stream(Marker(session, "main", turn).key, stop)[4 * start :]


def chat(text: str, *, max_tokens: int = 12, stream: bool = True, **more: Any) -> dict[str, Any]:
    body = {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": max_tokens, "stream": stream}
    return body | more


async def until(condition: Callable[[], bool], what: str, within_s: float = 10.0) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)
    assert condition(), what


def engine_seconds(server: ReplicaServer, work: str) -> float:
    """How long `prefill` or `decode` of all requests took, in the engine's time: a busy machine adds nothing to it."""
    name = f"vllm:request_{work}_time_seconds_sum{{".encode()
    return float(next(line for line in server._metrics.text().split(b"\n") if line.startswith(name)).split()[-1])


async def post(server: ReplicaServer, body: dict[str, Any], path: str = "/v1/chat/completions") -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.post(server.url + path, json=body) as response:
        return response.status, await response.read()


def streamed_text(body: bytes) -> str:
    """Returns the text of a stream of chat completion chunks."""
    text = ""
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:])["choices"]:
                text += choice["delta"].get("content") or ""
    return text


async def control(
    server: ReplicaServer, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    sent = {TOKEN_HEADER: TOKEN} if headers is None else headers
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.control_url + path, json=body, headers=sent) as response,
    ):
        return response.status, await response.json()


async def put(server: ReplicaServer, fault_id: str, kind: str, lease_s: float = 30, **more: Any) -> None:
    status, answer = await control(
        server, "PUT", f"/behaviours/{fault_id}", {"kind": kind, "lease_s": lease_s, "seed": 7} | more
    )
    assert status == 201, answer


async def raw(
    server: ReplicaServer, body: dict[str, Any], path: str = "/v1/chat/completions", **headers: str
) -> tuple[list[tuple[float, bytes]], type[Exception] | None]:
    """Returns the reads, each with its time, until the connection or the chunked body ends, and the error if any."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    sent = json.dumps(body).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    writer.write(
        b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (path.encode(), more, len(sent)) + sent
    )
    clock = asyncio.get_running_loop().time
    reads: list[tuple[float, bytes]] = []
    data = b""
    try:
        async with asyncio.timeout(20):
            while not data.endswith(b"\r\n0\r\n\r\n") and (part := await reader.read(65536)):
                reads.append((clock(), part))
                data += part
    except ConnectionResetError as error:
        return reads, type(error)
    finally:
        writer.close()
    return reads, None


def whole(reads: list[tuple[float, bytes]]) -> bytes:
    """Returns all bytes of `raw`."""
    return b"".join(part for _, part in reads)
