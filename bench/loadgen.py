"""CPU per streamed call of the load generator, relative to a loop that only reads the stream.

    python -m bench.loadgen [--quick] [--rounds N] [--calls N] [--users N] [--chunks N] [--gap-ms MS] [--json FILE]

Each figure is the CPU time of a separate process with 32 users over keep-alive connections; the stub server is another
process. Runs alternate; figures are medians of the rounds.

    bare      geventhttpclient: request, then readline until the stream ends. The reference
    client    brownout's client: event stream, times, outcome, every token compared with the expected one
    load      the same under the player, with counters and Locust's statistics
    traced    load, with spans to a batch processor and OTLP over HTTP. Cost per span: (traced - load) / spans

Exits 1 if load costs more than 1.5 x bare, or a span more than 80 us.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from brownout.children import python_words
from brownout.search_path import own_environment

__all__ = ["main"]

KINDS = ("bare", "client", "load", "traced")
MAX_RATIO = 1.5
MAX_US_PER_SPAN = 80.0


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark or, with `--role`, one of its processes. Returns the exit code."""
    options = _options(arguments)
    if options.role == "server":
        from bench.loadgen_stub import serve

        serve(options.listen, options.chunks, options.gap_ms / 1000)
        return 0
    if options.role:
        from bench.loadgen_kinds import measure

        print(json.dumps(measure(options.role, options.url, options.calls, options.users, options.chunks)))
        return 0
    results = _rounds(options)
    return _report(results, options)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.loadgen", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=2_000, help="calls per run")
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--chunks", type=int, default=20, help="chunks per call")
    parser.add_argument("--gap-ms", type=float, default=0.0, help="time between chunks; 0: all at once")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--role", choices=("server", *KINDS), help=argparse.SUPPRESS)
    parser.add_argument("--listen", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.calls = 2, 600
    return options


def _rounds(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    shared = ["--chunks", options.chunks, "--gap-ms", options.gap_ms]
    server = subprocess.Popen(
        _command("server", "--listen", listener.fileno(), *shared), pass_fds=[listener.fileno()], env=_environment()
    )
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    try:
        for round_number in range(options.rounds):
            for kind in KINDS[round_number % len(KINDS) :] + KINDS[: round_number % len(KINDS)]:
                given = ["--url", url, "--calls", options.calls, "--users", options.users, *shared]
                done = subprocess.run(_command(kind, *given), stdout=subprocess.PIPE, check=True, env=_environment())
                results[kind].append(json.loads(done.stdout))
            print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
    finally:
        server.terminate()
        server.wait(10)
        listener.close()
    return results


def _command(role: str, *more: object) -> list[str]:
    return python_words("-m", "bench.loadgen", "--role", role, *map(str, more))


def _environment() -> dict[str, str]:
    """The environment without settings that change the measurement: OpenTelemetry and proxies."""
    return {
        name: value
        for name, value in own_environment(os.environ).items()
        if not name.startswith("OTEL_") and "proxy" not in name.lower()
    }


def _report(results: dict[str, list[dict[str, Any]]], options: argparse.Namespace) -> int:
    us = {kind: statistics.median(run["us_per_call"] for run in runs) for kind, runs in results.items()}
    spans_per_call = statistics.median(run["spans"] / run["calls"] for run in results["traced"])
    pairs = zip(results["traced"], results["load"], strict=True)
    us_per_span = statistics.median(
        (traced["us_per_call"] - load["us_per_call"]) * traced["calls"] / traced["spans"] for traced, load in pairs
    )
    print(f"CPU of the load generator per streamed call: {options.chunks} chunks, {options.gap_ms:g} ms apart,")
    print(f"{options.users} users, median of {options.rounds} rounds of {options.calls} calls")
    for kind in KINDS:
        runs = sorted(run["us_per_call"] for run in results[kind])
        print(f"  {kind:8}{us[kind]:8.0f} us   {us[kind] / us['bare']:5.2f} x bare   ({runs[0]:.0f} to {runs[-1]:.0f})")
    ratio = us["load"] / us["bare"]
    print(f"  tracing {us_per_span:8.1f} us per span, {spans_per_call:.2f} spans per call")
    print(f"  (a span costs {us_per_span / us['bare']:.2f} of a bare call; the budget of 80 us is 0.46 of 174 us)")
    within_budget = ratio <= MAX_RATIO and us_per_span <= MAX_US_PER_SPAN
    print(f"{'PASS' if within_budget else 'FAIL'}: load / bare {ratio:.2f} (at most {MAX_RATIO}), ", end="")
    print(f"{us_per_span:.0f} us per span (at most {MAX_US_PER_SPAN:.0f})")
    if options.json:
        summary: dict[str, Any] = {
            "us_per_call": us,
            "ratio": ratio,
            "us_per_span": us_per_span,
            "spans_per_call": spans_per_call,
            "runs": results,
        }
        options.json.write_text(json.dumps(summary, indent=1) + "\n")
    return 0 if within_budget else 1


if __name__ == "__main__":
    sys.exit(main())
