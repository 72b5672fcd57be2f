"""Do intervals contain the truth, and do gates decide? Simulated runs with a known truth. Resumable.

    python -m bench.coverage                       # all rows, 1,000 repetitions each: about 10 minutes
    python -m bench.coverage --rows rates --repetitions 200
    python -m bench.coverage --table               # only print the stored results, as Markdown
    python -m bench.coverage --again               # discard the stored results

A row is a kind of measure, a number of sessions and calls, a truth, and the share of the variance that lies between
sessions. Of each row:

- *covered*: how often the 95 % interval contains the truth. At least 93 % for rates, 91 % for percentiles.
- *false passes*: how often a gate passes whose limit the truth just misses. At most 4 %.
- *decided*: how often a gate is decided whose limit is two intervals away from the truth. At least 90 % where
  `brownout check` says before the run that its load can decide such a gate. Where it says no, the share is in brackets.

Exits 1 where a row misses one of these. Results are appended to `bench/results/coverage.jsonl`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.cells import Results, Row
from bench.provenance import commit, machine_class
from bench.synthetic import HEAVY_TAIL, SOUND, evidence_of, good_or_bad, latencies, quantile, sizes
from bench.table import print_table
from reports.gates.decidability import decidability
from reports.gates.grammar import parse_gate
from reports.gates.judging import judge
from reports.history.evidence import Evidence
from reports.history.intervals import Interval
from reports.history.statistics import FloatArray

LEAST_COVERED: Final = {"rate": 0.93, "percentile": 0.91, "ratio": 0.91}
MOST_FALSE_PASSES: Final = 0.04
LEAST_DECIDED: Final = 0.90
NOISE: Final = 1.645
"""A share of N repetitions misses a limit if it is beyond it by this many standard errors: one-sided 95 %."""

Calls = int | tuple[int, int]
PHASE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Case:
    """One row. `truth`: the true share, or the quantile of a percentile. `correlation`: of the calls of a session."""

    kind: str
    sessions: int
    calls: Calls
    truth: float
    correlation: float

    @property
    def name(self) -> str:
        calls = str(self.calls) if isinstance(self.calls, int) else f"{self.calls[0]}..{self.calls[1]}"
        return f"{self.kind} {self.sessions}x{calls} {self.truth:g} {self.correlation:g}"


CASES: Final = (
    # the rows of the design's table, and others
    Case("rate", 70, 6, 0.97, 0.0),
    Case("rate", 30, 6, 0.97, 0.5),
    Case("rate", 30, 6, 0.97, 1.0),
    Case("rate", 70, 6, 0.99, 1.0),
    Case("rate", 20, 20, 0.95, 0.5),
    Case("rate", 70, 6, 0.97, 0.1),
    Case("rate", 70, (1, 12), 0.95, 0.2),
    Case("rate", 250, 6, 0.99, 0.1),
    Case("rate", 250, 6, 0.985, 1.0),
    Case("rate", 120, 6, 0.95, 0.5),
    Case("rate", 50, (1, 12), 0.9, 0.5),
    Case("rate", 40, 5, 0.8, 0.5),
    Case("rate", 300, 1, 0.99, 0.0),
    Case("rate", 250, HEAVY_TAIL, 0.95, 0.3),
    Case("percentile", 12, 6, 0.95, 1.0),
    Case("percentile", 10, 8, 0.95, 1.0),
    Case("percentile", 30, 6, 0.95, 1.0),
    Case("percentile", 70, 6, 0.95, 1.0),
    Case("percentile", 250, 6, 0.95, 1.0),
    Case("percentile", 70, 6, 0.99, 1.0),
    Case("percentile", 70, 6, 0.95, 0.2),
    Case("percentile", 70, 6, 0.95, 0.0),
    Case("percentile", 70, (1, 12), 0.95, 0.3),
    Case("percentile", 250, 6, 0.99, 0.3),
    Case("percentile", 70, 6, 0.9, 0.3),
    Case("percentile", 30, 6, 0.5, 0.5),
    Case("percentile", 250, HEAVY_TAIL, 0.95, 0.3),
    # ratios: attempts a call where this share of the calls is repeated; goodput of Poisson arrivals
    Case("repeats", 70, 6, 0.001, 0.0),
    Case("repeats", 70, 6, 0.01, 0.0),
    Case("repeats", 100, 4, 0.05, 0.2),
    Case("goodput", 70, 6, 1.0, 0.0),
    Case("goodput", 250, 6, 1.0, 0.5),
)


@dataclass(frozen=True, slots=True)
class Draw:
    """One simulated run: its interval, and whether two gates pass or are decided."""

    interval: Interval
    falsely: bool
    decided: bool


def play(case: Case, repetitions: int) -> Row:
    """Simulate a row. The width of the interval comes from runs of their own, which are not counted."""
    rng = np.random.default_rng([hash_of(case.name), repetitions])
    gate, truth = _gate(case)
    pilots = [_interval(case, gate, rng) for _ in range(min(100, repetitions))]
    known = [high - low for low, high in pilots if math.isfinite(high - low)]
    width = statistics.median(known) if known else math.nan
    draws = [_draw(case, gate, truth, width, rng) for _ in range(repetitions)]
    low_side = gate.endswith(">=")
    wrong = [d.interval[0] > truth if low_side else d.interval[1] < truth for d in draws]
    return {
        "row": case.name,
        "kind": case.kind,
        "sessions": case.sessions,
        "calls": case.calls,
        "truth": case.truth,
        "correlation": case.correlation,
        "repetitions": repetitions,
        "covered": sum(d.interval[0] <= truth <= d.interval[1] for d in draws) / repetitions,
        "beyond": sum(wrong) / repetitions,
        "false_passes": sum(d.falsely for d in draws) / repetitions,
        "decided": sum(d.decided for d in draws) / repetitions,
        "check_says_yes": math.isfinite(width) and _check_says_yes(case, gate, truth, width),
        "width": None if math.isnan(width) else width,
    }


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")


def _gate(case: Case) -> tuple[str, float]:
    """The gate without its limit, and the true value."""
    match case.kind:
        case "rate":
            return "slo_attainment in baseline >=", case.truth
        case "percentile":
            return f"ttft.p{case.truth * 100:g} in baseline <=", quantile(case.truth)
        case "repeats":
            return "retry_amplification in baseline <=", 1 + case.truth
    return "goodput in baseline >=", case.sessions * float(np.mean(case.calls)) * 40 / PHASE_S


def _draw(case: Case, gate: str, truth: float, width: float, rng: np.random.Generator) -> Draw:
    evidence = _evidence(case, rng)
    away = -2 if gate.endswith(">=") else 2
    just = truth * (1 + 1e-9) if gate.endswith(">=") else truth * (1 - 1e-9)
    at = judge(parse_gate(f"{gate} {min(just, 1.0) if case.kind == 'rate' else just!r}"), evidence, SOUND)
    assert at.interval is not None, at.why
    decided = False
    if math.isfinite(width):
        limit = max(0.0, truth + away * width)
        decided = judge(parse_gate(f"{gate} {limit!r}"), evidence, SOUND).verdict != "inconclusive"
    return Draw(at.interval, at.verdict == "pass", decided)


def _interval(case: Case, gate: str, rng: np.random.Generator) -> Interval:
    found = judge(parse_gate(f"{gate} 1"), _evidence(case, rng), SOUND)
    assert found.interval is not None, found.why
    return found.interval


def _check_says_yes(case: Case, gate: str, truth: float, width: float) -> bool:
    """Whether `brownout check` says that the planned load can decide the gate, with room."""
    limit = max(0.0, truth + (-2 if gate.endswith(">=") else 2) * width)
    offered = sizes(np.random.default_rng(1), case.sessions, case.calls)
    return decidability(parse_gate(f"{gate} {limit!r}"), offered).room


def _evidence(case: Case, rng: np.random.Generator) -> Evidence:
    sessions = case.sessions if case.kind != "goodput" else max(11, int(rng.poisson(case.sessions)))
    offered = sizes(rng, sessions, case.calls)
    total = int(offered.sum())
    ttft, session_of = latencies(rng, offered, case.correlation if case.kind == "percentile" else 0.0)
    good = np.ones(total)
    tokens = np.full(total, 40.0)
    if case.kind == "rate":
        good = _spread(good_or_bad(rng, offered, case.truth, case.correlation), offered)
    elif case.kind == "goodput":
        tokens = np.ceil(40 * rng.gamma(1 / max(case.correlation, 1e-9), max(case.correlation, 1e-9), sessions))[
            session_of
        ] if case.correlation else tokens  # fmt: skip
    evidence = evidence_of(
        session_of=session_of,
        sent=rng.uniform(0.0, PHASE_S - 2, total),
        ttft=ttft,
        e2e=np.full(total, 1.0) if case.kind == "goodput" else ttft + 1,
        good=good,
        tokens=tokens,
        boundaries={"baseline": 0.0, "end": PHASE_S},
        seed=int(rng.integers(1, 2**31)),
    )
    if case.kind == "repeats":
        _add_attempts(evidence, offered, case, rng)
    return evidence


def _spread(hits: FloatArray, offered: FloatArray) -> FloatArray:
    """Per call, whether it is good: the first ones of each session."""
    return np.concatenate([np.arange(int(n)) < h for h, n in zip(hits, offered, strict=True)]).astype(np.float64)


def _add_attempts(evidence: Evidence, offered: FloatArray, case: Case, rng: np.random.Generator) -> None:
    """A second attempt at this share of the calls."""
    repeated = _spread(offered - good_or_bad(rng, offered, 1 - case.truth, case.correlation), offered)
    by_session: dict[str, list[bool]] = {}
    names = [f"s{number}" for number in np.repeat(np.arange(offered.size), offered.astype(np.int64)).tolist()]
    for name, twice in zip(names, repeated, strict=True):
        by_session.setdefault(name, []).append(bool(twice))
    for call in evidence.calls.calls:
        attempt: Any = object()  # only their number counts
        call.attempts = [attempt] * (1 + by_session[call.session].pop())


def problems(row: Row) -> list[str]:
    """Which limits a row misses by more than chance."""
    kind = "ratio" if row["kind"] in ("repeats", "goodput") else str(row["kind"])
    found = []
    if _below(row["covered"], LEAST_COVERED[kind], row["repetitions"]):
        found.append(f"covered {row['covered']:.1%}, at least {LEAST_COVERED[kind]:.0%}")
    if _below(1 - row["false_passes"], 1 - MOST_FALSE_PASSES, row["repetitions"]):
        found.append(f"false passes {row['false_passes']:.1%}, at most {MOST_FALSE_PASSES:.0%}")
    if row["check_says_yes"] and _below(row["decided"], LEAST_DECIDED, row["repetitions"]):
        found.append(f"decided {row['decided']:.1%}, at least {LEAST_DECIDED:.0%}")
    return found


def _below(share: float, least: float, repetitions: int) -> bool:
    return share < least - NOISE * math.sqrt(least * (1 - least) / repetitions)


def cells(row: Row) -> list[str]:
    """The cells of a row of the table."""
    calls = row["calls"] if isinstance(row["calls"], int) else f"{row['calls'][0]} to {row['calls'][1]}"
    truth = {
        "rate": f"{row['truth']:.1%}",
        "percentile": f"p{row['truth'] * 100:g}",
        "repeats": f"{row['truth']:.1%} of the calls twice",
        "goodput": "Poisson arrivals",
    }[row["kind"]]
    return [
        row["kind"],
        f"{row['sessions']} x {calls}",
        truth,
        f"{row['correlation']:g}",
        f"{row['covered']:.1%}",
        f"{row['false_passes']:.1%}",
        f"{row['decided']:.1%}" if row["check_says_yes"] else f"({row['decided']:.1%})",
    ]


def main(argv: Sequence[str]) -> int:
    """Simulate the missing rows, print the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="only rows whose name contains this text")
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=Path("coverage.jsonl"), help="file of the results")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    options = parser.parse_args(argv)
    results = Results(str(options.results), again=options.again)
    done = {(row["row"], row["repetitions"]) for row in results.rows}
    wanted = [case for case in CASES if options.rows in case.name]
    for case in [] if options.table else wanted:
        if (case.name, options.repetitions) not in done:
            began = time.monotonic()
            row = play(case, options.repetitions)
            took = {"seconds": round(time.monotonic() - began, 1), "commit": commit(), "machine": machine_class()}
            results.keep({**row, **took})
            print(case.name, f"{took['seconds']} s", *problems(row), sep=": ", file=sys.stderr, flush=True)
    latest = {(row["row"], row["repetitions"]): row for row in results.rows}
    rows = [latest[key] for case in wanted if (key := (case.name, options.repetitions)) in latest]
    header = ("measure", "sessions x calls", "truth", "correlation", "covered", "false passes", "decided")
    print_table(header, [cells(row) for row in rows])
    minutes = sum(row["seconds"] for row in rows) / 60
    commits = ", ".join(dict.fromkeys(str(row["commit"]) for row in rows))
    print(f"\n{len(rows)} rows, {options.repetitions:,} repetitions each, {minutes:.1f} minutes, commit {commits}.")
    missed = [f"{row['row']}: {problem}" for row in rows for problem in problems(row)]
    print(*missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
