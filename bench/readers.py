"""Speed and memory of reading traces.

    python -m bench.readers [--lines N]

Synthetic files of N lines (BurstGPT: 1.4 million, its real size), each read in a separate process, as before a run.
`memory` is the growth of the process with the whole trace loaded. Exits 1 above 200 MB for BurstGPT.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from bench.table import print_table

LINES = 100_000
BURSTGPT_LINES = 1_400_000
BURSTGPT_MB = 200


def mooncake(count: int, rng: random.Random) -> Iterator[str]:
    """Prompts of 24 blocks on average with a common first block; every third continues an earlier prompt."""
    fresh, recent = 1, [[0]]
    for i in range(count):
        base = rng.choice(recent[-50:]) if i % 3 == 0 else [0]
        new = rng.randint(2, 44)
        ids = [*base[:200], *range(fresh, fresh + new)]
        fresh += new
        recent = [*recent[-50:], ids]
        length = 512 * len(ids)
        yield json.dumps({"timestamp": i * 300, "input_length": length, "output_length": 300, "hash_ids": ids})


def azure(count: int, rng: random.Random) -> Iterator[str]:
    """Timestamps with seven digits after the decimal point."""
    yield "TIMESTAMP,ContextTokens,GeneratedTokens"
    at = datetime(2023, 11, 16, 18, 17, 3)
    for _ in range(count):
        at += timedelta(seconds=rng.expovariate(2.5))
        yield f"{at:%Y-%m-%d %H:%M:%S.%f}0,{rng.randint(3, 7000)},{rng.randint(6, 200)}"


def burstgpt(count: int, rng: random.Random) -> Iterator[str]:
    """A third of the rows are in sessions; one in 50 is a failure."""
    yield "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type"
    for i in range(count):
        session = f"conv-{i // 9}" if i % 3 == 0 else ""
        request, response = rng.randint(1, 4000), 0 if i % 50 == 0 else rng.randint(1, 900)
        yield f"{i * 3.7:.1f},{session},{response / 40},ChatGPT,{request},{response},{request + response},API log"


def tracelab(count: int, rng: random.Random) -> Iterator[str]:
    """Sessions of 70 rounds, a tool and three events each."""
    for i in range(count):
        event = {"timestamp": "2026-06-01T05:40:20.151Z", "source": "user.message", "content_chars": 146}
        yield json.dumps(
            {
                "session_id": f"claude:{i // 70}",
                "round_index": i % 70,
                "model": "some",
                "prefix_tokens": 20_000 + 900 * (i % 70),
                "newly_append_tokens": rng.randint(1, 4000),
                "output_tokens": rng.randint(1, 900),
                "timing_events": [{"event_type": kind} | event for kind in ("tool_result", "text", "tool_call")],
                "tools": [{"tool_name": "Bash", "tool_wall_latency_ms": rng.randint(1, 20_000)}],
            }
        )


GENERATORS: dict[str, Callable[[int, random.Random], Iterator[str]]] = {
    "mooncake": mooncake,
    "azure": azure,
    "burstgpt": burstgpt,
    "tracelab": tracelab,
}


def read(pipe: Connection, path: str) -> None:
    """Read a trace; send CPU seconds, resident set before and after (MB), and the number of sessions."""
    import time

    from loadprofiles.replay import open_trace

    def resident_mb() -> float:
        words = Path("/proc/self/status").read_text().split()
        return int(words[words.index("VmRSS:") + 1]) / 1024

    before, start_s = resident_mb(), time.process_time()
    trace = open_trace(path, {})
    pipe.send((time.process_time() - start_s, before, resident_mb(), len(trace.recorded.sessions)))


def main(argv: list[str]) -> int:
    """Print the table. Returns 1 if BurstGPT exceeds its budget, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=0, help="lines per file, instead of the defaults")
    options = parser.parse_args(argv)
    context = multiprocessing.get_context("spawn")
    rows, grown_mb = [], 0.0
    for name, generate in GENERATORS.items():
        count = options.lines or (BURSTGPT_LINES if name == "burstgpt" else LINES)
        with tempfile.TemporaryDirectory(prefix="brownout-bench-") as folder:
            path = Path(folder) / "trace"
            with path.open("w") as file:
                file.writelines(line + "\n" for line in generate(count, random.Random(7)))
            here, there = context.Pipe()
            process = context.Process(target=read, args=(there, str(path)), daemon=True)
            process.start()
            took_s, before, after, sessions = here.recv()
            process.join(10)
            size_mb = path.stat().st_size / 1e6
        if name == "burstgpt":
            grown_mb = after - before
        rows.append(
            (
                name,
                f"{count:,}",
                f"{size_mb:.0f}",
                f"{sessions:,}",
                f"{took_s:.1f}",
                f"{count / took_s:,.0f}",
                f"{after - before:.0f}",
            )
        )
    print_table(("format", "lines", "MB", "sessions", "CPU s", "lines per CPU second", "memory, MB"), rows)
    return 0 if grown_mb <= BURSTGPT_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
