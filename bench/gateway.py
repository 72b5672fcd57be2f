"""Cost of the gateway, compared with a bare relay: CPU per streamed call, and the gap it adds between tokens.

    python -m bench.gateway                      # both tables, about two minutes
    python -m bench.gateway --quick              # for CI: fewer rounds, shorter streams
    python -m bench.gateway --stack naive        # another stack's policies
    python -m bench.gateway --check              # exits 1 if a goal is missed

Every part is a separate process on uvloop: upstreams that write tokens on a schedule, the gateway with the policies of
the stack (tracing off), a bare aiohttp relay, and a client. Runs of gateway and relay alternate; CPU is user + system
time of the process; figures are medians. Each token carries the time it was written, so the added gap is
`(gap at the client) - (gap at the upstream)`, token by token.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, cast

import uvloop

from brownout.children import python_words
from brownout.search_path import own_environment

GOAL_CPU_RATIO = 1.5
GOAL_GAP_MS = 8.0
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_REST = b'"},"finish_reason":null}]}\n\n'
_TOKEN = (
    b'data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"llama-3.3-70b","choices":[{"index":0,"delta":{"content":"'
)
_FINISH = _TOKEN.replace(b'"delta":{"content":"', b'"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
_READY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# -- the upstream: tokens on a schedule, with timestamps ---------------------------------------------------------------


class _Upstream(asyncio.Protocol):
    """A minimal HTTP/1.1 server, so that it costs little: `max_tokens` tokens, one every `X-Pace-Ms` ms."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers.get(b"content-length", b"0"))
        if len(rest) < length:
            return
        self._buffer = b""
        if head.startswith(b"GET"):
            self.transport.write(_READY)
            return
        self._left = json.loads(rest[:length])["max_tokens"]
        self._pace_s = float(headers[b"x-pace-ms"]) / 1000.0
        self._at = asyncio.get_running_loop().time() + self._pace_s * random.random()
        self.transport.write(_HEAD)
        self._timer = asyncio.get_running_loop().call_at(self._at, self._token)

    def _token(self) -> None:
        self.transport.write(_chunk(_TOKEN + b"%d" % time.monotonic_ns() + _REST))
        self._left -= 1
        self._at += self._pace_s
        if self._left:
            self._timer = asyncio.get_running_loop().call_at(self._at, self._token)
        else:
            self.transport.write(_chunk(_FINISH) + b"0\r\n\r\n")


async def upstream(count: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(_Upstream, "127.0.0.1", 0, backlog=1024) for _ in range(count)]
    _announce([server.sockets[0].getsockname()[1] for server in servers])
    await asyncio.Event().wait()


# -- the relay to compare with -----------------------------------------------------------------------------------------


async def relay(ports: list[int]) -> None:
    """A bare aiohttp relay: reads the body, forwards it, and streams the response back."""
    import aiohttp
    from aiohttp import web

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    turn = iter(range(1 << 62))

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        url = f"http://127.0.0.1:{ports[next(turn) % len(ports)]}{request.path}"
        headers = {"Content-Type": "application/json", "X-Pace-Ms": request.headers["X-Pace-Ms"]}
        async with session.post(url, data=body, headers=headers) as upstream:
            response = web.StreamResponse(status=upstream.status, headers={"Content-Type": upstream.content_type})
            await response.prepare(request)
            async for data in upstream.content.iter_any():
                await response.write(data)
            await response.write_eof()
            return response

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    _announce([runner.addresses[0][1]])
    await asyncio.Event().wait()


async def gateway(ports: list[int], policies: dict[str, Any]) -> None:
    import msgspec

    from targets.gateway.config import GatewayConfig, GatewayPolicies, Upstream
    from targets.gateway.server.server import GatewayServer

    upstreams = tuple(
        Upstream(f"r{n}", f"pool{n // 2}", f"http://127.0.0.1:{port}", continuation=True, prefill_us_per_token=64.0)
        for n, port in enumerate(ports)
    )
    server = GatewayServer(GatewayConfig(upstreams, policies=msgspec.convert(policies, GatewayPolicies)))
    await server.start()
    _announce([server.port])
    await asyncio.Event().wait()


# -- the client --------------------------------------------------------------------------------------------------------


class _Client(asyncio.Protocol):
    """One connection: sends requests until `request` returns None, and records the transit time of each token."""

    transport: asyncio.Transport

    def __init__(self, request: Callable[[], bytes | None], took_ms: list[list[float]]) -> None:
        self._request = request
        self._took_ms = took_ms
        self._stream: list[float] = []
        self._tail = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"connection lost: {exc}"))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._tail + data
        at = 0
        while True:
            start = data.find(b'"content":"', at)
            end = data.find(b'"}', start + 11) if start >= 0 else -1
            if end < 0:
                break
            self._stream.append((now - int(data[start + 11 : end])) / 1e6)
            at = end
        self._tail = data[at:][-400:]
        if self._tail.endswith(b"0\r\n\r\n"):
            if b"[DONE]" not in self._tail:
                raise RuntimeError(f"a stream ended without [DONE]: {self._tail!r}")
            self._took_ms.append(self._stream)
            self._stream, self._tail = [], b""
            self._next()

    def _next(self) -> None:
        request = self._request()
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self.transport.close()
        else:
            self.transport.write(request)


async def load(port: int, streams: int, calls: int, tokens: int, pace_ms: float, body_kb: int) -> None:
    """Make `calls` calls over `streams` connections; print the transit times of the tokens, one list per stream, ms."""
    left = calls
    filler = "x" * (body_kb * 1024)

    def request() -> bytes | None:
        nonlocal left
        if left <= 0:
            return None
        left -= 1
        messages = [{"role": "user", "content": f"{filler} [session s{left}/main turn 0]"}]
        fields = {"model": "m", "messages": messages, "max_tokens": tokens, "stream": True, "user": f"s{left}"}
        body = json.dumps(fields).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"X-Pace-Ms: {pace_ms}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    loop = asyncio.get_running_loop()
    took_ms: list[list[float]] = []
    clients = []
    for n in range(streams):
        _, client = await loop.create_connection(lambda: _Client(request, took_ms), "127.0.0.1", port)
        clients.append(client)
        if n % 20 == 19:
            await asyncio.sleep(0.01)
    await asyncio.gather(*(client.done for client in clients))
    short = [stream for stream in took_ms if len(stream) != tokens]
    if short or len(took_ms) != calls:
        raise RuntimeError(f"{len(short)} incomplete streams, {len(took_ms)} of {calls} received")
    print(json.dumps(took_ms), flush=True)


# -- the runs ----------------------------------------------------------------------------------------------------------


def _announce(ports: list[int]) -> None:
    print(json.dumps(ports), flush=True)


def _command(role: str, **arguments: Any) -> list[str]:
    return python_words("-m", "bench.gateway", "--role", role, "--arguments", json.dumps(arguments))


@contextmanager
def process(role: str, **arguments: Any) -> Iterator[tuple[int, list[int]]]:
    """Run a part as a process: (pid, ports)."""
    child = subprocess.Popen(_command(role, **arguments), stdout=subprocess.PIPE, env=_environment())
    try:
        assert child.stdout is not None
        yield child.pid, json.loads(child.stdout.readline())
    finally:
        child.kill()
        child.wait()


def _environment() -> dict[str, str]:
    return {name: value for name, value in own_environment(os.environ).items() if not name.startswith("OTEL_")}


def run_client(**arguments: Any) -> list[list[float]]:
    """Run the client process; the transit times of its tokens, ms."""
    done = subprocess.run(
        _command("load", **arguments), stdout=subprocess.PIPE, check=True, env=_environment(), timeout=180
    )
    took_ms: list[list[float]] = json.loads(done.stdout)
    return took_ms


def cpu_s(pid: int) -> float:
    """CPU seconds of another process, user + system (Linux, MAKE_PROCESS_CPUCLOCK)."""
    return time.clock_gettime((~pid << 3) | 2)


def added_gaps_ms(took_ms: list[list[float]]) -> list[float]:
    """For each gap between tokens: gap at the client - gap at the upstream, ms; at least 0."""
    return [max(0.0, after - before) for stream in took_ms for before, after in pairwise(stream)]


def percentile(values: list[float], share: float) -> float:
    """The percentile by nearest rank."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def cpu_table(policies: dict[str, Any], rounds: int, calls: int, body_kb: int) -> float:
    """Print the CPU time per streamed call of 20 chunks; returns the ratio gateway / relay."""
    shape = {"streams": 16, "calls": calls, "tokens": 20, "pace_ms": 3.0, "body_kb": body_kb}
    spent: dict[str, list[float]] = {"bare relay": [], "gateway": []}
    with (
        process("upstream", count=1) as (_, ports),
        process("relay", ports=ports) as (relay_pid, [relay_port]),
        process("gateway", ports=ports, policies=policies) as (gateway_pid, [gateway_port]),
    ):
        targets = {"bare relay": (relay_pid, relay_port), "gateway": (gateway_pid, gateway_port)}
        for _, port in targets.values():
            run_client(port=port, **{**shape, "calls": 200})  # warm-up
        for _ in range(rounds):
            for name, (pid, port) in targets.items():
                before = cpu_s(pid)
                run_client(port=port, **shape)
                spent[name].append((cpu_s(pid) - before) / calls * 1e6)
    ratio = statistics.median(g / r for g, r in zip(spent["gateway"], spent["bare relay"], strict=True))
    print(
        f"\nCPU per streamed call of 20 chunks, body {body_kb} KB "
        f"({rounds} alternating rounds of {calls} calls, medians)"
    )
    for name, values in spent.items():
        print(f"  {name:<12} {statistics.median(values):7.0f} us   ({min(values):.0f}-{max(values):.0f})")
    print(f"  {'ratio':<12} {ratio:7.2f}      goal: at most {GOAL_CPU_RATIO}")
    return ratio


def gap_table(policies: dict[str, Any], streams: list[int], tokens: int) -> dict[int, float]:
    """Print the added gap at 20 tokens/s per stream over six upstreams; returns the gateway's p99 by streams, ms."""
    p99_by_streams = {}
    print("\nAdded gap between tokens, ms (20 tokens/s per stream, six upstreams)")
    print(f"  {'streams':>7}  {'through':<12} {'p50':>6} {'p99':>6} {'max':>7}  CPU")
    for count in streams:
        with (
            process("upstream", count=6) as (own_pid, ports),
            process("relay", ports=ports) as (relay_pid, [relay_port]),
            process("gateway", ports=ports, policies=policies) as (gateway_pid, [gateway_port]),
        ):
            targets = {
                "direct": (own_pid, ports[0]),
                "bare relay": (relay_pid, relay_port),
                "gateway": (gateway_pid, gateway_port),
            }
            for name, (pid, port) in targets.items():
                before, start_s = cpu_s(pid), time.monotonic()
                took = run_client(port=port, streams=count, calls=count, tokens=tokens, pace_ms=50.0, body_kb=8)
                share = (cpu_s(pid) - before) / (time.monotonic() - start_s)
                gaps = added_gaps_ms(took)
                p50, p99 = percentile(gaps, 0.5), percentile(gaps, 0.99)
                print(f"  {count:>7}  {name:<12} {p50:6.2f} {p99:6.2f} {max(gaps):7.2f}  {share:.0%}")
            p99_by_streams[count] = p99
    print(f"  goal: p99 below {GOAL_GAP_MS:g} ms at 300 streams through the gateway")
    return p99_by_streams


_PARTS: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "upstream": upstream,
    "relay": relay,
    "gateway": gateway,
    "load": load,
}


def main() -> int:
    """Print both tables. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter streams")
    parser.add_argument("--rounds", type=int, help="rounds of the CPU table (default 7, quick 3)")
    parser.add_argument("--streams", type=int, nargs="*", default=[300, 500], help="streams (default 300 500)")
    parser.add_argument("--stack", default="multi-cloud", help="the stack whose policies are used")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--arguments", type=json.loads, default={}, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        uvloop.run(_PARTS[options.role](**options.arguments))
        return 0
    from dataclasses import asdict

    from targets.stack import load_stack

    policies = asdict(load_stack(options.stack).gateway)
    rounds = options.rounds or (3 if options.quick else 7)
    calls = 1000 if options.quick else 2000
    ratios = [cpu_table(policies, rounds, calls, body_kb) for body_kb in (1, 72)]
    gaps = gap_table(policies, options.streams, 60 if options.quick else 300)
    missed = max(ratios) > GOAL_CPU_RATIO or gaps.get(300, 0.0) >= GOAL_GAP_MS
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
