"""The demo end to end: `lose-tpu-pool` on the built-in stack, with every process on this machine.

    python -m bench.demo                 one run, about 90 s; exits 1 if a figure exceeds its budget

Sessions, calls and times come from the record, memory from /proc during the run (peak resident set, `VmHWM`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.table import print_table
from brownout.children import python_words
from brownout.search_path import own_environment

REPLICA_MB, RUNNER_MB = 80, 150
START_S, VERDICT_S, LOAD_S = 8.0, 5.0, 80.0
SESSIONS, CALLS = 200, 1200
LOADGEN_CPU = 0.9
POLL_INTERVAL_S = 0.2


def peak_mb(pid: int) -> float:
    """The peak resident set of a process, MB; 0 if it has ended."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def events(folder: Path) -> list[dict[str, Any]]:
    """The events of a record."""
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines() if line.endswith("}")]


def play(experiment: str, stack: str, runs: Path) -> dict[str, Any]:
    """Run the experiment, sample the memory of its processes, and return the figures."""
    started = time.time()
    command = python_words(
        "-m",
        "chaos.cli.app",
        "run",
        experiment,
        "--stack",
        stack,
        "--runs",
        str(runs),
        "--quiet",
    )
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=own_environment(os.environ))
    peaks: dict[str, float] = {}
    while process.poll() is None:
        peaks["runner"] = max(peaks.get("runner", 0.0), peak_mb(process.pid))
        for folder in runs.glob("*/events.jsonl"):
            for event in events(folder.parent):
                if event["type"] == "process" and event["event"] == "started":
                    name = str(event["kind"])
                    peaks[name] = max(peaks.get(name, 0.0), peak_mb(int(event["pid"])))
        time.sleep(POLL_INTERVAL_S)
    ended = time.time()
    folder = next(runs.glob("*/events.jsonl")).parent
    phases = {event["phase"]: event["at"] / 1e9 for event in events(folder) if event["type"] == "phase"}
    report = json.loads((folder / "report.json").read_text())
    drained = phases["drain"] + report_drain_s(folder, phases)
    return {
        "exit": process.returncode,
        "sessions": report["measures"]["sessions"]["run"]["value"],
        "calls": report["measures"]["calls"]["run"]["value"],
        "load_s": phases["drain"] - phases["warmup"],
        "start_s": phases["warmup"] - started,
        "verdict_s": ended - drained,
        "loadgen_cpu": report["proofs"]["loadgen"]["worst_cpu"],
        "peaks": peaks,
        "spans": report["proofs"]["spans"]["received"],
    }


def report_drain_s(folder: Path, phases: dict[str, float]) -> float:
    """Duration of the drain: until the load generator reported `done`; 30 s (the limit) if it never did."""
    for line in (folder / "gauges.jsonl").read_text().splitlines():
        post = json.loads(line)
        if post["kind"] == "load" and post["at"] / 1e9 >= phases["drain"] and post["data"].get("done"):
            return float(post["at"] / 1e9 - phases["drain"])
    return 30.0


def main(argv: list[str]) -> int:
    """Print the figures with their budgets. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiment", default="lose-tpu-pool")
    parser.add_argument("--stack", default="multi-cloud")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="brownout-bench-") as folder:
        got = play(options.experiment, options.stack, Path(folder))
    rows = [
        ("sessions", f"{got['sessions']:.0f}", f">= {SESSIONS}", got["sessions"] >= SESSIONS),
        ("calls", f"{got['calls']:.0f}", f">= {CALLS}", got["calls"] >= CALLS),
        ("load, s", f"{got['load_s']:.1f}", f"< {LOAD_S:g}", got["load_s"] < LOAD_S),
        ("command to start of load, s", f"{got['start_s']:.1f}", f"<= {START_S:g}", got["start_s"] <= START_S),
        ("end of drain to exit, s", f"{got['verdict_s']:.1f}", f"<= {VERDICT_S:g}", got["verdict_s"] <= VERDICT_S),
        ("load generator, worst CPU over 5 s", f"{got['loadgen_cpu']:.0%}", "< 90%", got["loadgen_cpu"] < LOADGEN_CPU),
        (
            "replica, peak MB",
            f"{got['peaks']['replica']:.0f}",
            f"<= {REPLICA_MB}",
            got["peaks"]["replica"] <= REPLICA_MB,
        ),
        ("runner, peak MB", f"{got['peaks']['runner']:.0f}", f"<= {RUNNER_MB}", got["peaks"]["runner"] <= RUNNER_MB),
        ("gateway, peak MB", f"{got['peaks']['gateway']:.0f}", "", True),
        ("load generator, peak MB", f"{got['peaks']['load']:.0f}", "", True),
        ("spans received", f"{got['spans']}", "", True),
        ("exit code", str(got["exit"]), "", True),
    ]
    print(f"{options.experiment} on {options.stack}, {os.cpu_count()} cores")
    print_table(("figure", "measured", "budget", "kept"), [(*row[:3], "yes" if row[3] else "NO") for row in rows])
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
