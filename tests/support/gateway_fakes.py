"""Fake replicas with scripted faults, on real sockets.

A fake replica responds as `docs/wire.md` specifies, except where its script says otherwise.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from reports.shared.tokens import find_marker, token_stream, tokens_in


@dataclass(frozen=True)
class Act:
    """What a fake replica does with one request; `after`: tokens before the fault, for faults within a stream."""

    # ok | fin | rst | clean | stall | status | hang | error_event | garbage | no_done | no_terminal
    # | not_utf8 | flood: far more bytes than socket buffers hold
    kind: str = "ok"
    after: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    in_tools: bool = False  # `after` counts the argument tokens of the tool call


class FakeReplica:
    """One upstream. `script`: acts for the next requests, one each; after these, `always`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.script: deque[Act] = deque()
        self.always = Act()
        self.ready = True
        self.frozen = False  # its probes hang as well, until `release`
        self.reports = 0.0  # requests running, by its metrics
        self.pace_s = 0.0
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.cancelled = 0
        self.peers: set[object] = set()  # client addresses: one per connection
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
        app.router.add_get("/metrics", self._metrics)
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

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=f'vllm:num_requests_running{{model_name="m"}} {self.reports}\n')

    async def _ready(self, request: web.Request) -> web.Response:
        if self.frozen:
            await self.release.wait()
        return web.Response(status=200 if self.ready else 503)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.peers.add(request.get_extra_info("peername"))
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
                {"error": {"message": f"scripted status {act.status}"}}, status=act.status, headers=act.headers
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
            answer = msgspec.json.encode(whole_answer(body, openai))
            sent = answer[: act.after] if act.kind == "clean" else answer
            return web.Response(body=sent, content_type="application/json")
        return await self._stream(request, events, act)

    async def _stream(self, request: web.Request, events: list[tuple[str, bytes]], act: Act) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if act.kind == "flood":
            text = b"AAAA" * 4000  # large events: a busy machine too passes them on fast enough to fill the buffers
            await response.write(b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % text * 1000)
            return response
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
        elif act.kind == "not_utf8":
            await response.write(
                b'data: {"type":"error\xff","choices":[{"delta":{"content":"\xff","x":"[DONE]"}}]}\n\n'
            )
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
    """Returns (all tokens, offset, total, tool tokens) of the response to `body`."""
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


def openai_events(body: dict[str, Any], ident: str) -> Iterator[tuple[str, bytes]]:
    """Yields (kind, bytes) of a streamed response; kinds: head, text, tool, finish, usage, done."""
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


def anthropic_events(body: dict[str, Any], ident: str) -> Iterator[tuple[str, bytes]]:
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
    last: dict[str, Any] = {"stop_reason": "tool_use" if tools else "end_turn", "stop_sequence": None}
    yield "finish", event("message_delta", delta=last, usage={"output_tokens": total - offset})
    yield "done", event("message_stop")


def whole_answer(body: dict[str, Any], openai: bool) -> dict[str, Any]:
    """Returns a response that is not streamed."""
    stream, offset, _, _ = _conversation(body)
    text = stream[4 * offset :]
    if openai:
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }
        return {"id": "x", "object": "chat.completion", "choices": [choice]}
    return {"id": "x", "type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
