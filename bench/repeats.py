"""Gates over several runs, and over successive looks: how often is a verdict wrong? Simulated, the truth is known.

    python -m bench.repeats                      # all rows, 400 repetitions each: about 20 minutes
    python -m bench.repeats --rows share         # only rows whose name contains this text
    python -m bench.repeats --table              # only print the stored results; --write: into docs/statistics.md
    python -m bench.repeats --again              # discard the stored results

A run has a luck of its own, by which its true value differs from that of other runs; its calls, 70 sessions of 6, vary
around that. The truth is the mean over all runs (geometric for times). Of each row:

- *covered*: how often the 95 % interval contains the truth.
- *false passes*, *false fails*: of a gate whose limit the truth just misses, or just meets.
- *decided*: of a gate whose limit is far away: 10 points of a share, 1.3 times a time.

Until decided: the same of series of at most ten looks; *bound* is the upper 95 % bound of the larger false share,
*runs* how many were played where the limit is far away. Exits 1 where a row misses its limit by more than chance.
Results are appended to `bench/results/repeats.jsonl`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.cells import Results, Row
from bench.coverage import MOST_FALSE_PASSES, NOISE, hash_of
from bench.provenance import commit, machine_class
from bench.synthetic import good_or_bad, latencies, quantile
from bench.table import print_table, write_between
from reports.gates.operators import OPERATORS
from reports.gating.looks import ALPHA, MOST_LOOKS, look
from reports.gating.repeated import judge_over_runs
from reports.history.intervals import effective_samples, rank_effective, rank_interval, rate_interval
from reports.history.statistics import percentile

PAGE: Final = Path(__file__).parents[1] / "docs" / "statistics.md"
BEGIN, END = "<!-- made by python -m bench.repeats --write -->", "<!-- end of bench.repeats -->"

SESSIONS, CALLS, CORRELATION = 70, 6, 0.2
RUNS: Final = (1, 3, 5, 10)
SPREADS: Final = (0.0, 0.01, 0.02, 0.04, 0.10)


@dataclass(frozen=True, slots=True)
class Case:
    """`truth`: the mean share; the quantile of a percentile; the share of the runs in which a count fails.

    `spread`: standard deviation between runs: of a share in points, of a time relative to it.
    """

    kind: str
    truth: float
    spread: float

    @property
    def name(self) -> str:
        return f"{self.kind} {self.truth:g} sd {self.spread:g}"


def _cases() -> list[Case]:
    shares = [Case("share", truth, spread) for truth in (0.9, 0.97, 0.995) for spread in SPREADS]
    possible = [case for case in shares if case.spread**2 <= 0.5 * case.truth * (1 - case.truth)]
    times = [Case("percentile", 0.95, spread) for spread in SPREADS]
    exact = [Case("time", 1.0, spread) for spread in (*SPREADS[1:], 0.3)]
    return [*possible, *times, *exact, *(Case("count", share, 0.0) for share in (0.0, 0.05, 0.2, 0.5))]


CASES: Final = tuple(_cases())


def gate_row(
    text: str, kind: str, unit: str, op: str, bound: float, value: float | None, **more: Any
) -> dict[str, Any]:
    """A gate of report.json, judged by its interval alone unless `more` says otherwise."""
    row = {
        "text": text,
        "measure": text.partition(" ")[0],
        "title": text,
        "kind": kind,
        "phase": None,
        "where": None,
        "op": op,
        "bound": bound,
        "unit": unit,
        "relative_to_baseline": False,
        "on_inconclusive": None,
        "value": value,
        "baseline": None,
        "factor": None,
        "interval": None,
        "samples": SESSIONS * CALLS,
        "samples_needed": None,
        "effective_samples": None,
        "sessions": SESSIONS,
        "why": "",
        "traceback": "",
        **more,
    }
    ends = row["interval"] or (value, value)
    met = [end is not None and bool(OPERATORS[op].holds(end, bound)) for end in ends]
    judged = "pass" if all(met) else "inconclusive" if any(met) or value is None else "fail"
    return {"verdict": judged, "judged": judged, **row}


def report_of(gates: Sequence[dict[str, Any]], seed: int = 1, **more: Any) -> dict[str, Any]:
    """A report.json with what judging over runs reads of it, of a run that nothing is wrong with."""
    verdicts = {gate["verdict"] for gate in gates}
    verdict = next((one for one in ("fail", "inconclusive") if one in verdicts), "pass")
    return {
        "schema": 3,
        "run": {"seed": seed, "headline_gate": gates[0]["text"] if gates else "", "short_form": False},
        "verdict": {"verdict": verdict, "exit_code": 0, "why": [verdict]},
        "phases": [{"name": name, "finished": True} for name in ("warmup", "baseline", "fault", "recovery", "drain")],
        "gates": list(gates),
        "steady_state": [],
        "faults": [{"id": "f1", "doubts": []}],
        "carrying": None,
        "measures": {},
        "proofs": {
            "doubts": [],
            "machine_doubts": [],
            "severe_doubts": [],
            "loadgen": {"arrivals": SESSIONS, "sound": True},
            "machine": {"sound": True},
            "joins": {"other_upstreams": False},
        },
        **more,
    }


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one run measured, without a gate: `report(op, bound)` is its report with a gate on it."""

    text: str
    kind: str
    unit: str
    value: float
    interval: tuple[float, float] | None = None
    effective: float | None = None

    def report(self, op: str, bound: float) -> dict[str, Any]:
        more = {"interval": self.interval, "effective_samples": self.effective}
        return report_of([gate_row(self.text, self.kind, self.unit, op, bound, self.value, **more)])


def draw(case: Case, rng: np.random.Generator) -> Drawn:
    """One run."""
    offered = np.full(SESSIONS, float(CALLS))
    match case.kind:
        case "share":
            share = _luck_of_share(case, rng)
            hits = good_or_bad(rng, offered, share, CORRELATION if 0 < share < 1 else 0.0)
            interval, effective = rate_interval(hits, offered), effective_samples(hits, offered)
            value = float(hits.sum() / offered.sum())
            return Drawn("slo_attainment >= x", "rate", "share", value, interval, effective)
        case "percentile":
            values, session_of = latencies(rng, offered, CORRELATION)
            values = values * math.exp(case.spread * rng.standard_normal())
            ends = rank_interval(values, session_of, case.truth)
            effective = rank_effective(values, session_of, case.truth)
            return Drawn("ttft.p95 <= x", "percentile", "s", percentile(values, case.truth), ends, effective)
        case "time":
            value = case.truth * math.exp(case.spread * rng.standard_normal())
            return Drawn("time_to_recover <= x", "fact", "s", value)
    return Drawn("sessions_lost == 0", "fact", "count", float(rng.random() < case.truth))


def _luck_of_share(case: Case, rng: np.random.Generator) -> float:
    """The true share of one run: a beta distribution with the mean and the spread of the row."""
    if not case.spread:
        return case.truth
    size = case.truth * (1 - case.truth) / case.spread**2 - 1
    return float(rng.beta(case.truth * size, (1 - case.truth) * size))


def limits(case: Case) -> tuple[str, float, float, float]:
    """The operator of the gate, the true value, a limit that it just misses, and one that it meets by far."""
    if case.kind == "share":
        return ">=", case.truth, case.truth + 1e-9, case.truth - 0.1
    if case.kind == "count":
        return "==", 0.0, 0.0, 0.0
    truth = quantile(case.truth) if case.kind == "percentile" else case.truth
    return "<=", truth, truth * (1 - 1e-9), truth * 1.3


def _just_met(case: Case, truth: float) -> float:
    return truth - 1e-9 if case.kind == "share" else truth * (1 + 1e-9)


def play_repeat(case: Case, runs: int, repetitions: int) -> Row:
    """Simulate `--repeat runs`."""
    rng = np.random.default_rng([hash_of(case.name), runs, repetitions])
    op, truth, missed, far = limits(case)
    covered = passes = fails = decided = 0
    for _ in range(repetitions):
        drawn = [draw(case, rng) for _ in range(runs)]
        at = _judged(drawn, op, missed)
        passes += at.verdict == "pass"
        covered += at.interval is None or at.interval[0] <= truth <= at.interval[1]
        if case.kind != "count":
            fails += _judged(drawn, op, _just_met(case, truth)).verdict == "fail"
            decided += _judged(drawn, op, far).verdict == "pass"
    row = {"covered": covered, "false_passes": passes, "false_fails": fails, "decided": decided}
    return {**{key: value / repetitions for key, value in row.items()}, "runs": runs}


def _judged(drawn: Sequence[Drawn], op: str, bound: float) -> Any:
    (gate,) = judge_over_runs([one.report(op, bound) for one in drawn])
    return gate


def play_series(case: Case, repetitions: int) -> Row:
    """Simulate `--until-decided`."""
    rng = np.random.default_rng([hash_of(case.name), repetitions])
    op, truth, missed, far = limits(case)
    passes = fails = decided = 0
    played = []
    for _ in range(repetitions):
        drawn = [draw(case, rng) for _ in range(MOST_LOOKS)]
        passes += _series(drawn, op, missed)[0] == "pass"
        if case.kind != "count":
            fails += _series(drawn, op, _just_met(case, truth))[0] == "fail"
        verdict, runs = _series(drawn, op, far)
        decided += verdict != "inconclusive"
        played.append(runs)
    worst = max(passes, fails)
    return {
        "false_passes": passes / repetitions,
        "false_fails": fails / repetitions,
        "at_most": upper_bound(worst, repetitions),
        "decided": decided / repetitions,
        "mean_runs": float(np.mean(played)),
    }


def _series(drawn: Sequence[Drawn], op: str, bound: float) -> tuple[str, int]:
    """The verdict of the gate where the series stopped, and after how many runs."""
    reports = [one.report(op, bound) for one in drawn]
    for number in range(1, MOST_LOOKS + 1):
        found = look(reports[:number], number)
        if found.why_stop:
            return found.gates[0].verdict, number
    raise AssertionError("a series has an end")


def upper_bound(count: int, repetitions: int) -> float:
    """The upper 95 % bound of a share, one-sided (Clopper & Pearson 1934)."""
    from scipy.special import betaincinv

    return 1.0 if count >= repetitions else float(betaincinv(count + 1, repetitions - count, 0.95))


def promised(case: Case) -> bool:
    """Whether the limits apply. Beyond, most runs are good and a rare one is very bad: ten runs may not show one."""
    return case.kind != "share" or case.spread <= (0.04 if case.truth <= 0.9 else 0.02)


def problems(row: Row) -> list[str]:
    """Which limits a row misses by more than chance; none where nothing is promised, and none of single runs."""
    case = Case(row["kind"], row["truth"], row["spread"])
    if case.kind == "count" or not promised(case) or row.get("runs") == 1:
        return []
    most = MOST_FALSE_PASSES if "runs" in row else ALPHA
    room = most + NOISE * math.sqrt(most * (1 - most) / row["repetitions"])
    names = {"false_passes": "false passes", "false_fails": "false fails"}
    return [f"{names[key]} {row[key]:.1%}, at most {most:.1%}" for key in names if row[key] > room]


def main(argv: Sequence[str]) -> int:
    """Simulate the missing rows, print the tables. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="only rows whose name contains this text")
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--results", type=Path, default=Path("repeats.jsonl"), help="file of the results")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--write", action="store_true", help="write docs/statistics.md")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    options = parser.parse_args(argv)
    results = Results(str(options.results), again=options.again)
    done = {(row["row"], row["repetitions"]) for row in results.rows}
    wanted = [case for case in CASES if options.rows in case.name]
    for name, case, play in _plays(wanted, options.repetitions):
        if not (options.table or options.write) and (name, options.repetitions) not in done:
            began = time.monotonic()
            row = {"row": name, "kind": case.kind, "truth": case.truth, "spread": case.spread, **play()}
            took = {"seconds": round(time.monotonic() - began, 1), "commit": commit(), "machine": machine_class()}
            results.keep({**row, "repetitions": options.repetitions, **took})
            print(name, f"{took['seconds']} s", sep=": ", file=sys.stderr, flush=True)
    latest = {(row["row"], row["repetitions"]): row for row in results.rows}
    names = [(name, options.repetitions) for name, _, _ in _plays(wanted, options.repetitions)]
    rows = [latest[name] for name in names if name in latest]
    for header, made in tables(rows):
        print_table(header, made)
        print()
    print(provenance(rows))
    if options.write:
        texts = ["\n".join(_markdown(header, made)) for header, made in tables(rows)]
        write_between(PAGE, BEGIN, END, "\n\n".join([*texts, provenance(rows)]))
    missed = [f"{row['row']}: {problem}" for row in rows for problem in problems(row)]
    print(*missed, sep="\n")
    return 1 if missed else 0


def _plays(cases: Sequence[Case], repetitions: int) -> list[tuple[str, Case, Callable[[], Row]]]:
    """The name of each row, its case, and what plays it."""
    found: list[tuple[str, Case, Callable[[], Row]]] = []
    for case in cases:
        found += [(f"{case.name}, {runs} runs", case, partial(play_repeat, case, runs, repetitions)) for runs in RUNS]
        found.append((f"{case.name}, until decided", case, partial(play_series, case, repetitions)))
    return found


def tables(rows: Sequence[Row]) -> list[tuple[tuple[str, ...], list[list[str]]]]:
    """The headers and cells: by number of runs, of counts, and until decided."""
    repeats = ("measure", "truth", "between runs", "runs", "covered", "false passes", "false fails", "decided")
    counts = ("a run fails in", "runs", "pass")
    series = ("measure", "truth", "between runs", "false passes", "false fails", "95 % bound", "decided", "runs")
    by_runs = [row for row in rows if "runs" in row]
    return [
        (repeats, [_repeat_cells(row) for row in by_runs if row["kind"] != "count"]),
        (counts, [[f"{row['truth']:.0%}", str(row["runs"]), _share(row, "false_passes")] for row in by_runs
                  if row["kind"] == "count"]),
        (series, [_series_cells(row) for row in rows if "runs" not in row and row["kind"] != "count"]),
    ]  # fmt: skip


def _repeat_cells(row: Row) -> list[str]:
    known = [_share(row, key) for key in ("covered", "false_passes", "false_fails", "decided")]
    if row["kind"] == "time" and row["runs"] == 1:
        known[0] = "no interval"
    return [*_first_cells(row), str(row["runs"]), *known]


def _series_cells(row: Row) -> list[str]:
    known = [_share(row, key) for key in ("false_passes", "false_fails", "at_most", "decided")]
    return [*_first_cells(row), *known, f"{row['mean_runs']:.1f}"]


def _first_cells(row: Row) -> list[str]:
    share = row["kind"] == "share"
    truth = {"share": f"{row['truth']:.1%}", "percentile": "p95 of a run", "time": "exact in a run"}[row["kind"]]
    spread = f"{row['spread'] * 100:g}{' points' if share else ' %'}"
    beyond = "" if promised(Case(row["kind"], row["truth"], row["spread"])) else " (beyond)"
    return ["share" if share else "time", truth, spread + beyond]


def _share(row: Row, key: str) -> str:
    return f"{row[key]:.1%}"


def _markdown(header: Sequence[str], made: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *made)]


def provenance(rows: Sequence[Row]) -> str:
    """How much was simulated, and by which code."""
    minutes = sum(row["seconds"] for row in rows) / 60
    commits = ", ".join(dict.fromkeys(str(row["commit"]) for row in rows))
    repetitions = ", ".join(dict.fromkeys(f"{row['repetitions']:,}" for row in rows))
    return f"{len(rows)} rows, {repetitions} repetitions each, {minutes:.1f} minutes of one core; commit {commits}."


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
