"""The real clients of the collector: each posts again after the collector has closed its idle connection."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from brownout.children import python_words
from chaos.children.environment import COUNTERS_EVERY_S
from chaos.runner.collector import Collector, Counters
from chaos.runner.record_writer import LineLog, SpanSpool
from reports.shared.port_limits import PortLimits
from tests.support.paths import ROOT
from tests.support.replica_harness import config

TOKEN = "secret"
GEVENT = """
import sys, gevent, msgspec
from geventhttpclient import HTTPClient
from reports.shared.control_port import TOKEN_HEADER
client = HTTPClient.from_url(sys.argv[1], connection_timeout=5, network_timeout=5, concurrency=1)
body = msgspec.json.encode({"process": "locust", "incarnation": 1, "kind": "load", "at": 1})
headers = {TOKEN_HEADER: "secret", "Content-Type": "application/json"}
while True:
    try:
        client.post("/v1/counters", body=body, headers=headers).read()
    except Exception:
        pass
    gevent.sleep(0.25)
"""
EXPORTER = """
import sys, time
from chaos.children.telemetry import set_up
provider, spans = set_up("service", "tpu-0", 1, sys.argv[1], "secret", 0.25)
while True:
    provider.get_tracer("test").start_span("span").end()
    time.sleep(0.05)
"""


async def until(condition: Callable[[], bool], within_s: float = 40.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("client", ["replica", "load generator", "exporter"])
async def test_a_process_that_was_frozen_past_the_idle_limit_posts_again(tmp_path: Path, client: str) -> None:
    received: list[Counters] = []

    def on_counters(counters: Counters) -> dict[str, object]:
        received.append(counters)
        return {}

    spool = SpanSpool(tmp_path / "spans")
    gauges = LineLog(tmp_path / "gauges.jsonl")
    limits = PortLimits(idle_s=8 * COUNTERS_EVERY_S, sweep_s=0.1)
    collector = Collector(spool, gauges, TOKEN, on_counters, lambda _: None, limits=limits)
    await collector.start()
    process = started(client, tmp_path, collector.url)

    def posts() -> int:
        return len(received) + spool.requests

    try:
        await until(lambda: posts() >= 5)
        os.kill(process.pid, signal.SIGSTOP)
        await until(lambda: collector.connections == 0)
        before = posts()
        os.kill(process.pid, signal.SIGCONT)
        await until(lambda: posts() >= before + 5)
    finally:
        process.kill()
        process.wait(10)
        await collector.close()
        gauges.close()
        spool.close()


def started(client: str, folder: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(client, url), cwd=ROOT, env=environment(folder, url), stdin=subprocess.DEVNULL)


def command(client: str, url: str) -> list[str]:
    if client == "replica":
        return python_words("-m", "chaos.children.entry", "replica")
    return [sys.executable, "-c", GEVENT if client == "load generator" else EXPORTER, url]


def environment(folder: Path, url: str) -> dict[str, str]:
    path = folder / "config.json"
    path.write_bytes(msgspec.json.encode(config()))
    own = {"BROWNOUT_PROCESS": "gpu-0", "BROWNOUT_CONFIG": str(path), "BROWNOUT_COLLECTOR": url}
    return {**os.environ, **own, "BROWNOUT_TOKEN": TOKEN, "BROWNOUT_INCARNATION": "1"}
