"""A replica in memory: the real engine, behaviours and streams, without sockets, for a `VirtualTimeLoop`."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any, Final

import msgspec
from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from chaos.testing.memory_world import MemoryWorld
from reports.shared.tenancy import key_of
from reports.shared.tokens import Marker, marker_text
from targets.hardware.profile import load_hardware
from targets.replica.api.openai_api import OpenAIApi
from targets.replica.behaviours.active import ActiveBehaviours
from targets.replica.behaviours.selector import RequestSelector
from targets.replica.delivery.driver import Driver
from targets.replica.engine.engine import Engine
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.metrics import Metrics
from targets.replica.server.serving import ModelRequests
from targets.replica.server.spans import Spans

__all__ = ["LEASE_S", "MemoryReplica", "ReplicaWorld"]

HARDWARE: Final = "llama-8b-h100"
KV_TOKENS: Final = 4096
LEASE_S: Final = 5.0
"""Lease of a behaviour, seconds."""


class _Transport:
    """What a client receives: each write with its time, and whether the connection was closed."""

    def __init__(self) -> None:
        self.writes: list[tuple[float, bytes]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.writes.append((asyncio.get_running_loop().time(), bytes(data)))

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> socket.socket | None:
        return None


class _Protocol:
    writing_paused = False

    def __init__(self, transport: _Transport) -> None:
        self.transport = transport


class _Content:
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def readany(self) -> bytes:
        body, self._body = self._body, b""
        return body


class _Request:
    version = HttpVersion11
    keep_alive = True

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self.headers = CIMultiDict(headers)
        self.content = _Content(body)
        self.transport = _Transport()
        self.protocol = _Protocol(self.transport)


class MemoryReplica:
    """One replica, `tpu-0`. Its KV cache is small (4,096 tokens), so that losing a part of it has an effect."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        hardware = load_hardware(HARDWARE)
        self.cost = hardware.step_cost()
        self.engine = Engine(self.cost, KV_TOKENS, max_sequences=8, step_tokens=hardware.step_tokens)
        self.driver = Driver(self.engine, clock=loop.time, call_later=loop.call_later)
        metrics = Metrics(self.driver, "a")
        self.behaviours = ActiveBehaviours(
            clock=loop.time, call_later=loop.call_later, engine=self.driver, metrics=metrics.text
        )
        config = ReplicaConfig(name="tpu-0", pool="tpu", model="a", hardware=HARDWARE)
        self.requests = ModelRequests(
            config,
            driver=self.driver,
            behaviours=self.behaviours,
            metrics=metrics,
            spans=Spans(config),
            clock=loop.time,
            request_overhead_s=0.001,
        )

    async def call(self, session: str, turn: int, tokens: int, prompt: int = 400) -> list[tuple[float, bytes]]:
        """Send a streamed call; returns its writes, each with the seconds since the call, without ids and dates."""
        text = f"{session} {turn} " * (prompt * 4 // 8) + marker_text(Marker(session, "main", turn))
        body = {"model": "a", "messages": [{"role": "user", "content": text}], "max_tokens": tokens, "stream": True}
        headers = {"Authorization": f"Bearer {key_of('acme')}", "x-beta": "1"}
        request = _Request(msgspec.json.encode(body), headers)
        start = asyncio.get_running_loop().time()
        response = await self.requests.serve(request, OpenAIApi(), ready=True)  # type: ignore[arg-type]
        if isinstance(response, web.Response):
            return [(asyncio.get_running_loop().time() - start, f"HTTP {response.status}".encode())]
        return [(at - start, _PRIVATE.sub(b"", data)) for at, data in request.transport.writes]

    @property
    def healthy(self) -> bool:
        """Whether no behaviour is active, the engine has its original configuration, and no request is left."""
        engine = self.engine
        return (
            self.behaviours.listing() == {}
            and (engine.running, engine.waiting, engine.kv_used) == (0, 0, 0)
            and engine.kv_total == engine.kv_initial == KV_TOKENS // 16
            and engine._rates == self.cost.rates()
            and engine._scheduler._max_sequences == 8
        )


_PRIVATE = re.compile(rb'"id":"chatcmpl-[0-9a-f]+",|"created":\d+,')


class ReplicaWorld(MemoryWorld):
    """A `MemoryWorld` in which `tpu-0` is a `MemoryReplica`."""

    def __init__(self, replica: MemoryReplica) -> None:
        super().__init__()
        self.replica = replica

    async def add_behaviour(self, name: str, fault_id: str, body: dict[str, Any]) -> None:
        only = msgspec.convert(body["only"], RequestSelector)
        self.replica.behaviours.put(
            fault_id,
            body["kind"],
            body["params"],
            share=body["share"],
            seed=body["seed"],
            lease_s=LEASE_S,
            only=only,
        )

    async def remove_behaviour(self, name: str, fault_id: str) -> int:
        return self.replica.behaviours.remove(fault_id)

    async def behaviours(self, name: str) -> dict[str, Any]:
        return self.replica.behaviours.listing()
