"""The entry point of a gateway or a replica: `python -m chaos.children.entry gateway|replica`.

Sets up the OpenTelemetry SDK (if there is a collector), then imports the server, then serves until SIGTERM (a replica
drains first) or SIGINT (ends at once). Posts counters every 250 ms. For an invalid configuration or a port in use it
prints one line to standard error; the exit code is 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import aiohttp
import msgspec

from chaos.children.environment import COUNTERS_EVERY_S, Environment
from reports.shared.attributes import SERVICE_GATEWAY, SERVICE_REPLICA
from reports.shared.control_port import TOKEN_HEADER
from reports.shared.errors import UserError

__all__ = ["main"]

LAG_TICK_S = 0.05
"""Seconds between two measurements of the lag of the event loop."""

SWITCH_INTERVAL_S = 0.0005
"""The exporter's thread must not delay the event loop: with Python's 5 ms, tokens would be late at each export."""

LAG_LIMIT_S = 0.05
"""A tick with more lag than this counts as late (`docs/measures.md`, "Proof that it was a test")."""

EXPORT_EVERY_S = {"replica": 0.2, "gateway": 0.5}
"""Short for replicas: when one is killed, its spans that are not exported yet are lost."""


class Server(Protocol):
    """A gateway or a replica."""

    async def start(self) -> None:
        """Bind and serve."""

    async def close(self) -> None:
        """Drain briefly, then stop."""

    def snapshot(self) -> dict[str, Any]:
        """Cumulative counters and gauges, see `docs/wire.md`."""


@runtime_checkable
class Drains(Protocol):
    """A server that can drain before it ends (optional)."""

    async def drain(self) -> None:
        """Report not ready, continue to serve, and return when no request is left."""


class SpanCounts(Protocol):
    """Spans started and ended so far."""

    started: int
    ended: int


class CounterReporter:
    """Posts the counters of this process, and measures the lag of its event loop."""

    def __init__(self, env: Environment, kind: str, server: Server, spans: SpanCounts | None) -> None:
        self._env = env
        self._kind = kind
        self._server = server
        self._spans = spans
        self._lag_s = 0.0
        self._ticks = 0
        self._late_ticks = 0

    async def run(self) -> None:
        """Post until cancelled."""
        lag = asyncio.create_task(self._measure_lag())
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
                while True:
                    await self._post(session, final=False)
                    await asyncio.sleep(COUNTERS_EVERY_S)
        finally:
            lag.cancel()

    async def post_last(self) -> None:
        """The last post, after every span has ended."""
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            await self._post(session, final=True)

    async def _measure_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_TICK_S
            await asyncio.sleep(LAG_TICK_S)
            lag_s = loop.time() - due
            self._lag_s = max(self._lag_s, lag_s)
            self._ticks += 1
            self._late_ticks += lag_s > LAG_LIMIT_S

    async def _post(self, session: aiohttp.ClientSession, *, final: bool) -> None:
        spans = {"started": self._spans.started, "ended": self._spans.ended} if self._spans else {}
        lag, self._lag_s = self._lag_s, 0.0
        body = {
            "process": self._env.process,
            "incarnation": self._env.incarnation,
            "kind": self._kind,
            "at": time.time_ns(),
            "final": final,
            "spans": spans,
            "cpu_s": round(time.process_time(), 4),
            "loop_lag_s": round(lag, 5),
            "loop_ticks": {"all": self._ticks, "late": self._late_ticks},
            "data": self._server.snapshot(),
        }
        # A collector that is slow or has exited must not stop the server. If the runner exits, the shepherd acts.
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with session.post(
                f"{self._env.collector}/v1/counters",
                data=msgspec.json.encode(body),
                headers={TOKEN_HEADER: self._env.token, "Content-Type": "application/json"},
            ) as response:
                await response.read()


def _build(kind: str, config: bytes, token: str) -> Server:
    if kind == "replica":
        from targets.replica.server.config import ReplicaConfig
        from targets.replica.server.server import ReplicaServer

        return ReplicaServer(msgspec.json.decode(config, type=ReplicaConfig), token)
    from targets.gateway.config import GatewayConfig
    from targets.gateway.server.server import GatewayServer

    return GatewayServer(msgspec.json.decode(config, type=GatewayConfig), token)


async def _serve(kind: str, env: Environment, config: bytes) -> None:
    stop, notice = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, notice.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    provider = spans = None
    if env.collector:
        from chaos.children.telemetry import set_up

        service = SERVICE_REPLICA if kind == "replica" else SERVICE_GATEWAY
        provider, spans = set_up(service, env.process, env.incarnation, env.collector, env.token, EXPORT_EVERY_S[kind])
    server = _build(kind, config, env.token)
    await server.start()
    # Objects of the start-up live as long as the process: later garbage collections skip them.
    gc.collect()
    gc.freeze()
    counters = CounterReporter(env, kind, server, spans) if env.collector else None
    posting = asyncio.create_task(counters.run()) if counters else None
    await _until_end(server, notice, stop)
    await server.close()
    if posting is not None and counters is not None and provider is not None:
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        await asyncio.to_thread(provider.shutdown)
        await counters.post_last()


async def _until_end(server: Server, notice: asyncio.Event, stop: asyncio.Event) -> None:
    """Wait for the end: SIGINT ends a process at once; after SIGTERM, a server that can drain does so first."""

    async def on_notice() -> None:
        await notice.wait()
        if isinstance(server, Drains):
            await server.drain()

    ends = [asyncio.ensure_future(on_notice()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()


def main(argv: list[str]) -> int:
    """Run one child. Returns its exit code."""
    if len(argv) != 2 or argv[1] not in ("gateway", "replica"):
        print("usage: BROWNOUT_CONFIG=FILE python -m chaos.children.entry gateway|replica")
        return 2
    import uvloop

    sys.setswitchinterval(SWITCH_INTERVAL_S)
    env = Environment(os.environ)
    try:
        config = Path(env.config).read_bytes()
        uvloop.run(_serve(argv[1], env, config))
    except (UserError, msgspec.MsgspecError) as error:
        print(f"{env.process}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{env.process}: {error.filename or env.config}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
