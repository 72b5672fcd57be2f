"""Misbehaving upstreams on real sockets, a gateway in front of them, and a client that believes nothing.

An upstream answers as `docs/wire.md` says a replica does, except where its script says otherwise.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from reports.tokens import Marker, find_marker, marker_text, token_stream, tokens_in
from targets.gateway.config import (
    Backoff,
    Breaker,
    Ejection,
    GatewayConfig,
    GatewayPolicies,
    Migration,
    Retries,
    Timeouts,
    Upstream,
)
from targets.gateway.server import GatewayServer

MARKER = Marker("s1", "main", 0)

POLICIES = GatewayPolicies(
    breaker=Breaker(window_calls=10, min_calls=5, open_s=0.5, half_open_calls=2),
    ejection=Ejection(consecutive_failures=3, base_s=0.5, max_share=0.67, sweep_s=1.0, silence_s=0.2),
    retries=Retries(backoff=Backoff(initial_s=0.001, max_s=0.005, retry_after_cap_s=0.2)),
    timeouts=Timeouts(connect_s=1.0, first_token_s=0.4, between_tokens_s=0.3, total_s=20.0),
    migration=Migration(),
    probes=None,
)


@dataclass(frozen=True)
class Act:
    """What an upstream does with one request, `after` tokens where that makes sense."""

    kind: str = "ok"  # ok | fin | rst | clean | stall | status | hang | error_event | garbage | no_done | no_terminal
    after: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    in_tools: bool = False  # `after` counts the argument tokens of the tool call


class FakeReplica:
    """One upstream. `script`: acts for the next requests; then `always`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.script: deque[Act] = deque()
        self.always = Act()
        self.ready = True
        self.pace_s = 0.0
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.cancelled = 0
        self.running = 0
        self.release = asyncio.Event()
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self._serve)
        app.router.add_post("/v1/messages", self._serve)
        app.router.add_get("/health/ready", self._ready)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            self.release.set()
            await runner.cleanup()

    async def _ready(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        act = self.script.popleft() if self.script else self.always
        self.running += 1
        try:
            return await self._act(request, body, act)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _act(self, request: web.Request, body: dict[str, Any], act: Act) -> web.StreamResponse:
        if act.kind == "status":
            return web.json_response(
                {"error": {"message": f"as told: {act.status}"}}, status=act.status, headers=act.headers
            )
        if act.kind == "hang":
            await self.release.wait()
            return web.Response(status=503)
        openai = request.path.endswith("completions")
        events = list((openai_events if openai else anthropic_events)(body, f"{self.name}-{len(self.bodies)}"))
        if not body.get("stream"):
            if act.kind in ("fin", "rst"):
                self._cut(request, act.kind)
                return web.Response()
            return web.json_response(whole_answer(body, openai))
        return await self._stream(request, events, act)

    async def _stream(self, request: web.Request, events: list[tuple[str, bytes]], act: Act) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        counted = "tool" if act.in_tools else "text"
        sent = 0
        for kind, event in events:
            if kind == "text" and self.pace_s:
                await asyncio.sleep(self.pace_s)
            dies = act.kind not in ("ok", "no_done", "no_terminal") and kind == counted and sent == act.after
            ends = (act.kind == "no_done" and kind == "done") or (act.kind == "no_terminal" and kind == "finish")
            if dies or ends:
                return await self._die(request, response, act)
            await response.write(event)
            await asyncio.sleep(0)
            sent += kind == counted
        await response.write_eof()
        return response

    async def _die(self, request: web.Request, response: web.StreamResponse, act: Act) -> web.StreamResponse:
        if act.kind == "stall":
            await self.release.wait()
        elif act.kind == "error_event":
            await response.write(b'event: error\ndata: {"type":"error","error":{"message":"engine died"}}\n\n')
        elif act.kind == "garbage":
            await response.write(b"data: {not json\n\n")
        elif act.kind in ("fin", "rst"):
            self._cut(request, act.kind)
        await response.write_eof()  # clean, no_done, no_terminal
        return response

    def _cut(self, request: web.Request, how: str) -> None:
        transport = request.transport
        assert transport is not None
        if how == "rst":
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
        raise ConnectionResetError


def _conversation(body: dict[str, Any]) -> tuple[str, int, int, int]:
    """(all tokens, offset, total, tool tokens) of the answer to `body`."""
    offset = 0
    marker = None
    for message in body["messages"]:
        content = message.get("content") or ""
        text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        if message["role"] != "assistant":
            marker = find_marker(text) or marker
    last = body["messages"][-1]
    if last["role"] == "assistant":
        content = last["content"]
        offset = tokens_in(content if isinstance(content, str) else "".join(part["text"] for part in content))
    assert marker is not None
    total = offset + int(body.get("max_completion_tokens") or body.get("max_tokens") or 0)
    tools = min(8, total // 2) if body.get("tools") else 0
    return token_stream(marker.key, total), offset, total, tools


def openai_events(body: dict[str, Any], ident: str) -> AsyncIterator[Any] | Any:
    """(kind, bytes) of a streamed answer: head, text, tool, finish, usage, done."""
    stream, offset, total, tools = _conversation(body)

    def event(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        chunk = {"id": ident, "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": choices, **more}
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"

    yield "head", event({"role": "assistant", "content": ""})
    for i in range(offset, total - tools):
        yield "text", event({"content": stream[4 * i : 4 * i + 4]})
    if tools:
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"input":"'}}
        yield "tool_head", event({"tool_calls": [call]})
        for i in range(total - tools, total):
            part = {"index": 0, "function": {"arguments": stream[4 * i : 4 * i + 4]}}
            yield "tool", event({"tool_calls": [part]})
        yield "tool_tail", event({"tool_calls": [{"index": 0, "function": {"arguments": '"}'}}]})
    yield "finish", event({}, "tool_calls" if tools else "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        prompt = 100 + offset
        usage = {"prompt_tokens": prompt, "completion_tokens": total - offset, "total_tokens": prompt + total - offset}
        yield "usage", event(None, usage={**usage, "prompt_tokens_details": {"cached_tokens": prompt}})
    yield "done", b"data: [DONE]\n\n"


def anthropic_events(body: dict[str, Any], ident: str) -> AsyncIterator[Any] | Any:
    """The same for the Messages API."""
    stream, offset, total, tools = _conversation(body)

    def event(name: str, **fields: Any) -> bytes:
        return f"event: {name}\n".encode() + b"data: " + msgspec.json.encode({"type": name, **fields}) + b"\n\n"

    usage = {"input_tokens": 100 + offset, "output_tokens": 1, "cache_read_input_tokens": 40}
    message = {"id": ident, "type": "message", "role": "assistant", "content": [], "model": "m", "usage": usage}
    yield "head", event("message_start", message=message)
    index = 0
    if offset < total - tools:
        yield "head", event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield "ping", event("ping")
        for i in range(offset, total - tools):
            delta = {"type": "text_delta", "text": stream[4 * i : 4 * i + 4]}
            yield "text", event("content_block_delta", index=0, delta=delta)
        yield "block", event("content_block_stop", index=0)
        index = 1
    if tools:
        block = {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
        yield "tool_head", event("content_block_start", index=index, content_block=block)
        parts = ['{"input":"', *(stream[4 * i : 4 * i + 4] for i in range(total - tools, total)), '"}']
        for n, part in enumerate(parts):
            kind = "tool" if 0 < n < len(parts) - 1 else "tool_head"
            delta = {"type": "input_json_delta", "partial_json": part}
            yield kind, event("content_block_delta", index=index, delta=delta)
        yield "block", event("content_block_stop", index=index)
    delta = {"stop_reason": "tool_use" if tools else "end_turn", "stop_sequence": None}
    yield "finish", event("message_delta", delta=delta, usage={"output_tokens": total - offset})
    yield "done", event("message_stop")


def whole_answer(body: dict[str, Any], openai: bool) -> dict[str, Any]:
    """A non-streamed answer."""
    stream, offset, _, _ = _conversation(body)
    text = stream[4 * offset :]
    if openai:
        message = {"role": "assistant", "content": text}
        return {
            "id": "x",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
    return {"id": "x", "type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}


@dataclass
class Seen:
    """What a client got."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    text: str = ""
    arguments: str = ""
    finish: list[str] = field(default_factory=list)
    terminals: int = 0
    heads: int = 0
    ids: set[str] = field(default_factory=set)
    errors: list[Any] = field(default_factory=list)
    usage: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[tuple[str, int]] = field(default_factory=list)  # Messages API: block events in order
    whole: bool = False  # the HTTP message was complete


def read_stream(raw: bytes, seen: Seen) -> None:
    """Takes a stream apart; asserts that events are whole."""
    assert raw.endswith(b"\n\n") or not raw
    for event in raw.split(b"\n\n"):
        data = b"".join(line[6:] for line in event.split(b"\n") if line.startswith(b"data: "))
        if not data:
            continue
        if data == b"[DONE]":
            seen.terminals += 1
            continue
        fields = msgspec.json.decode(data)
        if "error" in fields:
            seen.errors.append(fields["error"])
        elif "choices" in fields:
            _read_chunk(fields, seen)
        else:
            _read_event(fields, seen)


def _read_chunk(chunk: dict[str, Any], seen: Seen) -> None:
    seen.ids.add(chunk["id"])
    if chunk.get("usage"):
        seen.usage.append(chunk["usage"])
    for choice in chunk["choices"]:
        delta = choice["delta"]
        seen.heads += "role" in delta
        seen.text += delta.get("content") or ""
        for call in delta.get("tool_calls") or ():
            seen.arguments += call["function"].get("arguments", "")
        if choice.get("finish_reason"):
            seen.finish.append(choice["finish_reason"])


def _read_event(event: dict[str, Any], seen: Seen) -> None:
    match event["type"]:
        case "message_start":
            seen.heads += 1
            seen.ids.add(event["message"]["id"])
        case "content_block_start" | "content_block_stop":
            seen.blocks.append((event["type"].rsplit("_", 1)[1], event["index"]))
        case "content_block_delta":
            assert seen.blocks[-1] == ("start", event["index"])
            seen.text += event["delta"].get("text", "")
            seen.arguments += event["delta"].get("partial_json", "")
        case "message_delta":
            seen.finish.append(event["delta"]["stop_reason"])
            seen.usage.append(event["usage"])
        case "message_stop":
            seen.terminals += 1


def request_body(tokens: int = 20, *, marker: Marker = MARKER, **more: Any) -> dict[str, Any]:
    """A streaming request for `tokens` tokens."""
    messages = [{"role": "system", "content": "be good"}, {"role": "user", "content": f"go on {marker_text(marker)}"}]
    return {"model": "m", "messages": messages, "max_tokens": tokens, "stream": True, "user": marker.session, **more}


@dataclass
class Rig:
    """A gateway, its upstreams and a client session."""

    gateway: GatewayServer
    replicas: list[FakeReplica]
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    async def call(self, body: dict[str, Any], path: str = "/v1/chat/completions", **headers: str) -> Seen:
        """Sends a request and reads the answer to its end, however it ends."""
        seen = Seen()
        async with self.http.post(self.url + path, json=body, headers=headers) as response:
            seen.status = response.status
            seen.headers = dict(response.headers)
            try:
                async for data in response.content.iter_any():
                    seen.raw += data
                seen.whole = True
            except aiohttp.ClientPayloadError:
                pass
        if seen.headers.get("Content-Type", "").startswith("text/event-stream"):
            read_stream(seen.raw, seen)
        return seen

    def served(self) -> list[int]:
        """Requests that each replica got."""
        return [len(replica.bodies) for replica in self.replicas]

    def at(self, name: str) -> FakeReplica:
        return next(replica for replica in self.replicas if replica.name == name)


async def until(condition: Callable[[], bool], deadline_s: float = 5.0) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def rig(
    count: int = 2,
    policies: GatewayPolicies = POLICIES,
    *,
    continuation: bool = True,
    acts: dict[str, list[Act]] | None = None,
    prefill_us_per_token: float = 0.0,
    **changes: Any,
) -> AsyncIterator[Rig]:
    """`count` upstreams `r0`, `r1`, ... behind a gateway. `changes`: policies replaced; `acts`: scripts by name."""
    replicas = [FakeReplica(f"r{n}") for n in range(count)]
    for replica in replicas:
        replica.script.extend((acts or {}).get(replica.name, []))
        await replica.start()
    upstreams = tuple(Upstream(r.name, "pool", r.url, "cloud", continuation, prefill_us_per_token) for r in replicas)
    gateway = GatewayServer(GatewayConfig(upstreams, policies=replace(policies, **changes), model="m", seed=1))
    await gateway.start()
    async with aiohttp.ClientSession() as http:
        try:
            yield Rig(gateway, replicas, http)
        finally:
            for replica in replicas:
                replica.release.set()
            await gateway.close()
            for replica in replicas:
                await replica.stop()
