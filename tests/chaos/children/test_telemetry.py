"""The export of spans from a child process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider

from chaos.children.telemetry import SpanCount
from chaos.runner.collector import Collector, Counters
from chaos.runner.record_writer import LineLog, RecordFull, SpanSpool
from tests.support.paths import ROOT

EXPORT = """
import sys
from chaos.children.telemetry import set_up
provider, spans = set_up("service", "tpu-0", 2, sys.argv[1], "secret", 60.0)
for number in range(600):
    provider.get_tracer("test").start_span(f"span {number}").end()
provider.shutdown()
print(spans.started, spans.ended)
"""


def test_spans_are_counted_when_they_start_and_when_they_end() -> None:
    provider, count = TracerProvider(), SpanCount()
    provider.add_span_processor(count)
    span = provider.get_tracer("test").start_span("one")
    provider.get_tracer("test").start_span("two")
    assert (count.started, count.ended) == (2, 0)
    span.end()
    assert (count.started, count.ended) == (2, 1)


async def test_a_child_exports_every_span_before_it_exits(tmp_path: Path) -> None:
    failures: list[RecordFull] = []

    def ignore(counters: Counters) -> dict[str, object]:
        return {}

    spool = SpanSpool(tmp_path / "spans")
    collector = Collector(spool, LineLog(tmp_path / "gauges.jsonl"), "secret", ignore, failures.append)
    await collector.start()
    try:
        command = [sys.executable, "-c", EXPORT, collector.url]
        done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True)
    finally:
        await collector.close()
    assert done.stdout.split() == ["600", "600"]
    data = (tmp_path / "spans" / "0000.otlp").read_bytes()
    assert data.count(b"span ") == 600
    assert b"tpu-0#2" in data
    assert failures == []
