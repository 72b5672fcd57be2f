"""The memory and the imports of a replica process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_START = """
import asyncio, re, sys
import uvloop
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.server import ReplicaServer, serve

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://127.0.0.1:9/v1/traces")))
trace.set_tracer_provider(provider)

async def main():
    stop = asyncio.Event()

    def started(server):
        status = open("/proc/self/status").read()
        print(re.search(r"VmRSS:\\s+(\\d+) kB", status)[1], server.snapshot()["kv_total"])
        print(" ".join(sorted({name.split(".")[0] for name in sys.modules})))
        stop.set()

    config = ReplicaConfig(name="trainium-0", pool="trainium", model="m", hardware=sys.argv[1])
    await serve(config, "token", stop, started=started)

uvloop.run(main())
"""
TRAINIUM = "llama-70b-trn2-16"
HEAVY = {
    "pydantic",
    "duckdb",
    "scipy",
    "numpy",
    "bokeh",
    "jinja2",
    "locust",
    "gevent",
    "openai",
    "anthropic",
    "typer",
    "rich",
}


@pytest.fixture(scope="module")
def started() -> list[str]:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    done = subprocess.run(
        [sys.executable, "-c", _START, TRAINIUM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_replica_with_the_largest_cache_needs_less_than_80_mb(started: list[str]) -> None:
    rss_kb, kv_blocks = map(int, started[0].split())
    assert kv_blocks >= 200_000
    assert rss_kb < 80_000


def test_a_replica_imports_no_package_of_the_analysis_or_of_the_load(started: list[str]) -> None:
    assert not HEAVY & set(started[1].split())
