"""A real gateway in front of replicas of this process, for tests that are skipped where it is not installed."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from targets.adapters.base import (
    LOOPBACK,
    Adapter,
    LogFile,
    Site,
    Upstream,
    UpstreamState,
    whole_environment,
    whole_lines,
)
from targets.adapters.cache import installed
from targets.adapters.catalogue import parse_choice
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import MODEL, chat, running

__all__ = ["RealGateway", "attempts_in_statistics_are_true", "real_gateway", "streams_arrive_token_by_token"]

READY_S, END_S = 20.0, 5.0
LONG_TOKENS = 2000
"""Of a stream that takes a replica many times longer than any pause of a busy machine."""


@dataclass
class RealGateway:
    """A gateway that serves, and its replicas in the order of their names."""

    adapter: Adapter
    site: Site
    replicas: list[ReplicaServer]
    process: asyncio.subprocess.Process
    client: aiohttp.ClientSession

    async def call(self, text: str) -> None:
        """A streamed call, read to its end. Raises aiohttp.ClientError unless it is 200."""
        async with self.open(text, 20, "/v1/chat/completions") as response:
            await response.read()

    @asynccontextmanager
    async def open(self, text: str, max_tokens: int, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """A streamed call, of which nothing was read yet. Raises aiohttp.ClientError unless it is 200."""
        body = chat(text, max_tokens=max_tokens)
        url, headers = f"http://{LOOPBACK}:{self.site.port}{path}", self.adapter.headers(self.site)
        async with self.client.post(url, json=body, headers=headers, raise_for_status=True) as response:
            yield response

    async def states(self) -> Mapping[str, UpstreamState]:
        """What the gateway's statistics say."""
        statistics = self.adapter.statistics
        assert statistics is not None
        if isinstance(statistics, LogFile):
            text = (self.site.folder / statistics.name).read_text(encoding="utf-8")
            return statistics.parse(self.site, whole_lines(text)[0])
        async with self.client.get(f"http://{LOOPBACK}:{self.site.admin_port}{statistics.path}") as response:
            return statistics.parse(self.site, await response.text())


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for made in sockets:
        made.bind((LOOPBACK, 0))
    ports = [made.getsockname()[1] for made in sockets]
    for made in sockets:
        made.close()
    return ports


@asynccontextmanager
async def real_gateway(choice: str, folder: Path, replicas: int = 2) -> AsyncIterator[RealGateway]:
    """Skips the test where the gateway is not installed. SIGTERM must end the gateway, with all of its group."""
    adapter, preset = parse_choice(choice)
    found = installed(adapter)
    if found is None:
        pytest.skip(f"{adapter.name} is not installed: brownout targets install {adapter.name}")
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(running(name=f"gpu-{n}")) for n in range(replicas)]
        port, admin_port = free_ports(2)
        upstreams = tuple(Upstream(server.config.name, server.url, "gpu") for server in servers)
        site = Site(upstreams, port, admin_port, folder, MODEL, preset)
        for name, text in adapter.files(site).items():
            if name.endswith("/"):
                (folder / name).mkdir()
            else:
                (folder / name).write_text(text, encoding="utf-8")
        log = stack.enter_context((folder / "gateway.log").open("wb"))
        process = await asyncio.create_subprocess_exec(
            *adapter.command(site, found),
            env=whole_environment(adapter, site, found, os.environ),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        client = await stack.enter_async_context(aiohttp.ClientSession())
        gateway = RealGateway(adapter, site, servers, process, client)
        try:
            await _ready(gateway)
            yield gateway
            process.terminate()
            async with asyncio.timeout(END_S):
                await process.wait()
            with pytest.raises(ProcessLookupError):
                os.killpg(process.pid, 0)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, 9)
                await process.wait()


async def _ready(gateway: RealGateway) -> None:
    url = f"http://{LOOPBACK}:{gateway.site.port}{gateway.adapter.ready}"
    log = gateway.site.folder / "gateway.log"
    async with asyncio.timeout(READY_S):
        while True:
            assert gateway.process.returncode is None, log.read_text(encoding="utf-8")
            try:
                async with gateway.client.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.01)


async def streams_arrive_token_by_token(gateway: RealGateway) -> None:
    """On both APIs: the first chunks arrive while the replica is still writing the rest, many seconds of it."""
    for path in ("/v1/chat/completions", "/v1/messages"):
        async with gateway.open("count", LONG_TOKENS, path) as response:
            for _ in range(3):
                assert await response.content.readany(), path
            assert sum(replica.snapshot()["running"] for replica in gateway.replicas) == 1, path
        async with asyncio.timeout(READY_S):  # the replica notices that the client is gone, or has written all of it
            while any(replica.snapshot()["running"] for replica in gateway.replicas):
                await asyncio.sleep(0.01)


async def attempts_in_statistics_are_true(gateway: RealGateway, calls: int = 12) -> None:
    """One replica is gone: what the gateway tried there was refused, and every call was answered by the other."""
    await asyncio.gather(*(gateway.call(f"before {n}") for n in range(calls)))
    before = await gateway.states()
    assert sum(state.attempts or 0 for state in before.values()) == calls
    assert [state.refused for state in before.values()] == [0, 0]
    await gateway.replicas[0].close(drain_s=0)
    results = await asyncio.gather(*(gateway.call(f"after {n}") for n in range(calls)), return_exceptions=True)
    assert not [result for result in results if isinstance(result, BaseException)]
    after = await gateway.states()
    gone, other = after["gpu-0"], after["gpu-1"]
    tried = (gone.attempts or 0) - (before["gpu-0"].attempts or 0)
    assert (gone.refused or 0) <= tried, "an attempt on a connection that was kept open is not refused"
    assert gone.refused or gone.available is False, "a health check may have found out before the calls"
    assert (other.attempts or 0) - (before["gpu-1"].attempts or 0) == calls
    assert other.refused == 0
