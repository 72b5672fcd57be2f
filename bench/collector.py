"""Memory and CPU of the runner's collector for 100,000 spans: it writes them on arrival, so memory must not grow.

    python -m bench.collector [--spans N]

The collector runs in a separate process with everything that the runner imports. The spans are posted over HTTP, 500
per request. Exits 1 if its resident set is above 150 MB at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from bench.table import print_table
from reports.shared.control_port import TOKEN_HEADER

RUNNER_MB = 150
BATCH = 500
TOKEN = "bench"


def collect(pipe: Connection, folder: str) -> None:
    """Serve a collector until a message on `pipe`; send resident set before and after (MB), and CPU seconds."""
    import time

    import uvloop

    import chaos.cli.run  # noqa: F401  (the imports of the runner)
    from chaos.runner.collector import Collector
    from chaos.runner.record_writer import RunFolder

    def resident_mb() -> float:
        words = Path("/proc/self/status").read_text().split()
        return int(words[words.index("VmRSS:") + 1]) / 1024

    async def serve() -> None:
        run = RunFolder(Path(folder), "bench")
        collector = Collector(run.spans, run.gauges, TOKEN, lambda _: {}, lambda error: sys.exit(str(error)))
        await collector.start()
        before, cpu = resident_mb(), time.process_time()
        pipe.send(collector.url)
        await asyncio.to_thread(pipe.recv)
        pipe.send((before, resident_mb(), time.process_time() - cpu))
        await collector.close()

    uvloop.run(serve())


def spans(count: int) -> bytes:
    """An OTLP request of `count` spans with ten attributes each."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for index in range(count):
        span = scope.spans.add(name="brownout.replica.request", trace_id=bytes(16), span_id=index.to_bytes(8, "big"))
        for number in range(10):
            span.attributes.add(key=f"brownout.attribute.{number}").value.string_value = f"value {index}"
    encoded: bytes = request.SerializeToString()
    return encoded


async def post(url: str, total: int) -> None:
    """Post `total` spans, one request at a time."""
    import aiohttp

    headers = {TOKEN_HEADER: TOKEN, "Content-Type": "application/x-protobuf"}
    body = spans(BATCH)
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(total // BATCH):
            async with session.post(f"{url}/v1/traces", data=body) as response:
                response.raise_for_status()


def main(argv: list[str]) -> int:
    """Print what it took; answer whether the runner stays within its budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=100_000)
    options = parser.parse_args(argv)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="brownout-bench-") as folder:
        process = context.Process(target=collect, args=(there, folder), daemon=True)
        process.start()
        asyncio.run(post(here.recv(), options.spans))
        here.send("stop")
        before, after, cpu_s = here.recv()
        process.join(10)
        written = sum(path.stat().st_size for path in Path(folder).rglob("*.otlp"))
    print(json.dumps({"spans": options.spans, "written_mb": round(written / 1e6, 1)}))
    rows = [
        ("resident before, MB", f"{before:.0f}", ""),
        ("resident after, MB", f"{after:.0f}", f"<= {RUNNER_MB}"),
        ("CPU per span, us", f"{cpu_s / options.spans * 1e6:.2f}", ""),
    ]
    print_table(("runner with collector", "measured", "budget"), rows)
    return 0 if after <= RUNNER_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
