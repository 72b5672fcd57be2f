"""Does a comparison of two sides find what is there, and nothing else? Simulated runs with a known truth. Resumable.

    python -m bench.regressions                    # all rows, 2,000 comparisons each: about 5 minutes
    python -m bench.regressions --repetitions 200
    python -m bench.regressions --table            # only print the stored results
    python -m bench.regressions --write            # write the tables into docs/regressions.md
    python -m bench.regressions --again            # discard the stored results

*Equal*: head and base are the same. *At the tolerance*: each measure is worse by exactly its tolerance, where both
words are wrong. *One measure*: worse by a number of tolerances. *Never*: a share of the runs of both sides never
recovers.

Exits 1 where a wrong word comes in more than 2.5 % of the comparisons, by more than the chance of the repetitions
(one-sided 5 %). Results are appended to `bench/results/regressions.jsonl`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from bench.cells import Results, Row
from bench.provenance import commit, machine_class
from bench.table import write_between
from brownout.result import Comparison
from reports.gating.regressions import compare_sides
from reports.gating.run_values import Cell, RunValues
from reports.gating.tolerances import DEFAULTS, Tolerance

PAGE: Final = Path(__file__).parents[1] / "docs" / "regressions.md"
BEGIN: Final = "<!-- bench.regressions: begin -->"
END: Final = "<!-- bench.regressions: end -->"
MOST_WRONG: Final = 0.025
SIZES: Final = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""True worsening of a single measure, in tolerances."""

JUDGED: Final = tuple(one for one in DEFAULTS if one.judged)
CALLS, SESSIONS = 400.0, 70.0
_LEVELS: Final = {
    "slo_attainment": 0.93,
    "goodput": 500.0,
    "ttft.p95": 0.5,
    "tpot.p95": 0.05,
    "e2e.p95": 8.0,
    "failover.p95": 1.5,
    "time_to_recover": 4.0,
    "retry_amplification": 1.03,
    "cost.per_1k_sessions": 3.0,
}

Noise = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True, slots=True)
class Case:
    """One row. `group`: "equal", "at tolerance", "one measure" or "never". `noise`: of a run, see `NOISES`.

    `sd`: of a run: of relative measures and of absolute times a share of their level; 1 for a share is 4 points. Of
    "never": the share of runs. `size`: true worsening in tolerances. `lost`: sessions lost a run in the base.
    `dispersion`: their variance over their mean. `measure`: "" for all judged ones.
    """

    group: str
    pairs: int
    noise: str = "normal"
    sd: float = 0.0
    size: float = 0.0
    measure: str = ""
    lost: float = 0.0
    dispersion: float = 1.0

    @property
    def name(self) -> str:
        return " ".join(
            f"{one:g}" if isinstance(one, float) else str(one)
            for one in (
                self.group,
                self.pairs,
                self.noise,
                self.sd,
                self.size,
                self.measure,
                self.lost,
                self.dispersion,
            )
        )


def _normal(rng: np.random.Generator, measures: int) -> np.ndarray:
    return rng.normal(size=measures)


def _correlated(rng: np.random.Generator, measures: int) -> np.ndarray:
    """Measures of one run with a correlation of 0.8."""
    return math.sqrt(0.8) * rng.normal() + math.sqrt(0.2) * rng.normal(size=measures)


def _heavy(rng: np.random.Generator, measures: int) -> np.ndarray:
    """Student's t with 3 degrees of freedom, scaled to a variance of 1, correlated by its common denominator."""
    return rng.normal(size=measures) / math.sqrt(rng.chisquare(3))


def _spikes(rng: np.random.Generator, measures: int) -> np.ndarray:
    """One run in ten is ten standard deviations slow in everything."""
    return rng.normal(size=measures) + 10.0 * (rng.random() < 0.1)


NOISES: Final[dict[str, Noise]] = {
    "normal": _normal,
    "correlated": _correlated,
    "heavy-tailed": _heavy,
    "one run in ten slow": _spikes,
}


def cases() -> list[Case]:
    """All rows."""
    found = [
        Case("equal", pairs, noise, sd)
        for noise in NOISES
        for sd in (0.01, 0.02, 0.04, 0.1)
        for pairs in (5, 8, 10)
        if noise == "normal" or pairs == 5 or sd == 0.04
    ]
    found += [Case("at tolerance", pairs, noise, 0.02, 1.0) for noise in NOISES for pairs in (5, 8, 10)]
    for measure, sd in (("ttft.p95", 0.02), ("ttft.p95", 0.1), ("slo_attainment", 0.25), ("time_to_recover", 0.2)):
        found += [Case("one measure", pairs, "normal", sd, size, measure) for pairs in (5, 8) for size in SIZES]
    found += [Case("one measure", 5, "heavy-tailed", 0.04, size, "ttft.p95") for size in SIZES]
    for lost, dispersion in ((0.0, 1.0), (3.0, 1.0), (3.0, 3.0)):
        found += [
            Case("one measure", pairs, "normal", 0.0, size, "sessions_lost", lost, dispersion)
            for pairs in (5, 8)
            for size in (*SIZES, 6.0, 30.0)
        ]
    found += [
        Case("never", pairs, sd=share, measure="time_to_recover") for pairs in (5, 8) for share in (0.1, 0.3, 0.5)
    ]
    return found


def played(rng: np.random.Generator, case: Case, seed: int, *, head: bool) -> RunValues:
    """One simulated run."""
    noise = NOISES[case.noise](rng, len(JUDGED))
    measures: dict[str, dict[Cell, float]] = {}
    for tolerance, luck in zip(JUDGED, noise, strict=True):
        if case.measure in ("", tolerance.measure):
            value = _value(rng, case, tolerance, float(luck), case.size if head else 0.0)
            measures[tolerance.measure] = {tolerance.phase or "run": value}
    calls: dict[Cell, float] = {"run": CALLS, "fault": CALLS / 4}
    return RunValues(seed, "2026-01-01", True, False, calls, {"run": SESSIONS}, measures)


def _value(rng: np.random.Generator, case: Case, tolerance: Tolerance, luck: float, size: float) -> float:
    if case.group == "never" and rng.random() < case.sd:
        return math.inf
    if tolerance.unit == "count":
        return _count(rng, case.lost + size * tolerance.size, case.dispersion)
    level, sign = _LEVELS[tolerance.measure], 1.0 if tolerance.better == "lower" else -1.0
    if tolerance.relative:
        return float(level * (1 + sign * tolerance.size) ** size * math.exp(sign * case.sd * luck))
    spread = case.sd / 25 if tolerance.unit == "share" else case.sd * level
    return level + sign * (size * tolerance.size + spread * luck)


def _count(rng: np.random.Generator, mean: float, dispersion: float) -> float:
    """Poisson, or with a variance of `dispersion` times the mean: negative binomial."""
    if dispersion > 1 and mean > 0:
        return float(rng.negative_binomial(mean / (dispersion - 1), 1 / dispersion))
    return float(rng.poisson(mean))


def compared(rng: np.random.Generator, case: Case) -> Comparison:
    """One simulated comparison."""
    pairs = [(played(rng, case, seed, head=True), played(rng, case, seed, head=False)) for seed in range(case.pairs)]
    return compare_sides(pairs, JUDGED, base="simulated", source="interleaved")


def play(case: Case, repetitions: int) -> Row:
    """Simulate a row: how often each verdict came."""
    rng = np.random.default_rng(int.from_bytes(blake2b(case.name.encode(), digest_size=8).digest(), "big"))
    verdicts: Counter[str] = Counter()
    for _ in range(repetitions):
        verdicts[compared(rng, case).verdict] += 1
    return {
        "row": case.name,
        "repetitions": repetitions,
        **{one: verdicts[one] for one in ("pass", "fail", "inconclusive")},
    }


def upper_bound(count: int, repetitions: int) -> float:
    """Upper 95 % bound of a share (Clopper and Pearson, one-sided)."""
    from scipy import special

    return float(special.betaincinv(count + 1, repetitions - count, 0.95)) if count < repetitions else 1.0


def too_many(count: int, repetitions: int) -> bool:
    """Whether the share is above 2.5 % by more than chance (one-sided 5 %)."""
    from scipy import special

    return count > 0 and float(special.bdtrc(count - 1, repetitions, MOST_WRONG)) < 0.05


def wrong(case: Case, row: Row) -> list[str]:
    """What must not be: a wrong word too often."""
    words = ["fail"] if case.size < 1 else ["fail", "pass"] if case.size == 1 else ["pass"]
    return [
        f"{case.name}: {word} in {row[word]} of {row['repetitions']}"
        for word in words
        if too_many(row[word], row["repetitions"])
    ]


def tables(rows: Sequence[Row]) -> str:
    """All tables as Markdown, from the last row of each case."""
    last = {row["row"]: row for row in rows}
    known = [(case, last[case.name]) for case in cases() if case.name in last]
    parts = []
    for group, title in (
        ("equal", "No difference, all ten measures judged together"),
        ("at tolerance", "Every measure worse by exactly its tolerance: both words are wrong"),
    ):
        lines = [
            "| runs | sd of a run | pairs | fail (upper bound) | pass | inconclusive |",
            "|---|---|---|---|---|---|",
        ]
        for case, row in known:
            if case.group == group:
                fails = f"{_share(row, 'fail')} ({upper_bound(row['fail'], row['repetitions']):.1%})"
                rest = f"{_share(row, 'pass')} | {_share(row, 'inconclusive')}"
                lines.append(f"| {case.noise} | {case.sd:.0%} | {case.pairs} | {fails} | {rest} |")
        parts.append(f"**{title}.**\n\n" + "\n".join(lines))
    parts.append(f"**One measure, worse by so many tolerances: share of *pass* / *fail*.**\n\n{_by_size(known)}")
    lines = ["| share of runs that never recover, both sides | pairs | fail (upper bound) |", "|---|---|---|"]
    for case, row in known:
        if case.group == "never":
            fails = f"{_share(row, 'fail')} ({upper_bound(row['fail'], row['repetitions']):.1%})"
            lines.append(f"| {case.sd:.0%} | {case.pairs} | {fails} |")
    parts.append("**Runs that never recover, equally often on both sides.**\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _share(row: Row, word: str) -> str:
    return f"{row[word] / row['repetitions']:.1%}"


def _by_size(known: Sequence[tuple[Case, Row]]) -> str:
    sizes = sorted({case.size for case, _ in known if case.group == "one measure"})
    head = " | ".join(f"{size:g}" for size in sizes)
    lines = [f"| measure | runs | pairs | {head} |", "|---|---|---|" + "---|" * len(sizes)]
    found: dict[tuple[str, str, int], dict[float, str]] = {}
    for case, row in known:
        if case.group == "one measure":
            if case.measure == "sessions_lost":
                runs = f"{case.lost:g} lost in the base, variance {case.dispersion:g} x mean"
            else:
                spread = case.sd * 4 if case.measure == "slo_attainment" else case.sd
                unit = " points" if case.measure == "slo_attainment" else " %"
                sd = spread if case.measure == "slo_attainment" else spread * 100
                runs = f"{case.noise}, sd {sd:g}{unit}"
            cells = found.setdefault((case.measure, runs, case.pairs), {})
            cells[case.size] = f"{row['pass'] / row['repetitions']:.0%} / {row['fail'] / row['repetitions']:.0%}"
            if case.size == 1:
                cells[case.size] = f"{_share(row, 'pass')} / {_share(row, 'fail')}"
    for (measure, runs, pairs), cells in found.items():
        lines.append(f"| `{measure}` | {runs} | {pairs} | {' | '.join(cells.get(size, '') for size in sizes)} |")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Simulate the missing rows, print the tables. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000, help="comparisons a row")
    parser.add_argument("--results", default="regressions.jsonl", help="file of the results")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    options = parser.parse_args(argv)
    results = Results(options.results, again=options.again)
    done = {row["row"] for row in results.rows if row["repetitions"] >= options.repetitions}
    where = {"commit": commit(), "machine": machine_class()}
    for case in [] if options.table else cases():
        if case.name not in done:
            began = time.monotonic()
            row = play(case, options.repetitions)
            results.keep({**row, **where, "seconds": round(time.monotonic() - began, 2)})
    last = {row["row"]: row for row in results.rows}
    problems = [text for case in cases() if case.name in last for text in wrong(case, last[case.name])]
    text = tables(results.rows)
    print(text)
    print(*problems, sep="\n")
    if options.write:
        counted = [last[case.name] for case in cases() if case.name in last]
        commits = ", ".join(sorted({str(row["commit"]) for row in counted}))
        minutes = sum(row["seconds"] for row in counted) / 60
        end = f"{len(counted)} rows of {options.repetitions:,} comparisons, {minutes:.1f} minutes, commit {commits}."
        write_between(PAGE, BEGIN, END, f"{text}\n\n{end}")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
