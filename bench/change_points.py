"""Change points of a history: false alarms without a change, and the share of planted changes that is found.

    python -m bench.change_points                 # 9 to 15 minutes on one core
    python -m bench.change_points --series 200 --planted 40   # a quick look

Compares `reports.trend.steps` with Apache Otava, where that is installed (`pip install --no-deps apache-otava==0.8.0`,
best with the versions of numpy and scipy that it asks for, in an environment of its own; nothing else of ours is needed
but the folder as PYTHONPATH).

Series of single runs: normal noise; heavy tails (Student's t with 3 degrees of freedom); normal noise where a fifth of
the runs has no value. The standard deviation is 1 in all. Without a change: 50 runs. With one: a step of 1, 2, 3 or 5
standard deviations after 10 to 50 runs, followed by 3 or by 10 runs, found if a change point lies at most 3 runs away;
and a step of 3 that is undone after 10 runs, found if both of its ends are.

Exits 1 if `steps` gives more false alarms than its level of 5 %, beyond chance.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from scipy import stats

from bench.table import print_table
from reports.trend.steps import steps_of

LEVEL: Final = 0.05
LEVEL_MEAN: Final = 100.0
"""Mean of the series. Otava compares means by their ratio, so it must not be 0."""

NOISES: Final = ("normal", "heavy tails", "gaps")
STEPS_SD: Final = (1, 2, 3, 5)
AFTER: Final = (3, 10)
NEAR: Final = 3

Values = list[float | None]
Method = Callable[[Values], list[int]]


def noise(kind: str, runs: int, draws: np.random.Generator) -> Values:
    """Values of mean `LEVEL_MEAN` and standard deviation 1; None: no value."""
    drawn = draws.standard_t(3, runs) / np.sqrt(3) if kind == "heavy tails" else draws.normal(size=runs)
    missing = draws.random(runs) < (0.2 if kind == "gaps" else 0.0)
    return [None if gone else LEVEL_MEAN + float(one) for one, gone in zip(drawn, missing, strict=True)]


def planted(values: Values, size_sd: float, begin: int, end: int | None = None) -> Values:
    """The values with a step from `begin` to `end`."""
    return [
        None if one is None else one + size_sd * (begin <= index < (end or len(values)))
        for index, one in enumerate(values)
    ]


def of_steps(tests: int) -> Method:
    """Our method, where the p values are corrected for so many measures."""

    def found(values: Values) -> list[int]:
        known = [(index, one) for index, one in enumerate(values) if one is not None]
        return [known[step.at][0] for step in steps_of([one for _, one in known], level=LEVEL, tests=tests)]

    return found


def of_otava(max_p: float) -> Method:
    """Otava with its own treatment of gaps: the last value is repeated."""
    otava = importlib.import_module("otava.analysis")

    def found(values: Values) -> list[int]:
        filled = list(values)
        otava.fill_missing(filled)
        return [int(point.index) for point in otava.compute_change_points(filled, max_pvalue=max_p)[0]]

    return found


def methods() -> dict[str, Method]:
    """The methods by name; those of Otava only where it is installed."""
    found = {"steps": of_steps(1), "steps, of 10 measures": of_steps(10)}
    try:
        found["Otava (p 0.001, its default)"] = of_otava(0.001)
        found["Otava (p 0.0001)"] = of_otava(0.0001)
    except ImportError:
        print("Otava is not installed: only our method is tried", file=sys.stderr)
    return found


def false_alarms(method: Method, kind: str, series: int) -> int:
    """How many of so many series of 50 runs without a change have a change point."""
    draws = np.random.default_rng([1, NOISES.index(kind)])
    return sum(bool(method(noise(kind, 50, draws))) for _ in range(series))


def share_found(method: Method, kind: str, size_sd: float, after: int, repetitions: int) -> float:
    """The share of planted steps that is found."""
    draws = np.random.default_rng([2, NOISES.index(kind), after])
    hits = 0
    for _ in range(repetitions):
        before = int(draws.integers(10, 51))
        cuts = method(planted(noise(kind, before + after, draws), size_sd, before))
        hits += any(abs(cut - before) <= NEAR for cut in cuts)
    return hits / repetitions


def share_undone(method: Method, kind: str, size_sd: float, repetitions: int) -> float:
    """The share of steps that are undone after 10 runs of which both ends are found."""
    draws = np.random.default_rng([3, NOISES.index(kind)])
    hits = 0
    for _ in range(repetitions):
        before = int(draws.integers(10, 31))
        cuts = method(planted(noise(kind, before + 25, draws), size_sd, before, before + 10))
        hits += all(any(abs(cut - end) <= NEAR for cut in cuts) for end in (before, before + 10))
    return hits / repetitions


def row(name: str, method: Method, kind: str, series: int, repetitions: int) -> tuple[list[str], int]:
    """One row of the table, and the number of false alarms."""
    alarms = false_alarms(method, kind, series)
    upper = float(stats.beta.ppf(0.95, alarms + 1, series - alarms)) if alarms < series else 1.0
    cells = [name, kind, f"{alarms / series:.1%} (at most {upper:.1%})"]
    cells += [
        " / ".join(f"{share_found(method, kind, size_sd, after, repetitions):.0%}" for after in AFTER)
        for size_sd in STEPS_SD
    ]
    return [*cells, f"{share_undone(method, kind, 3, repetitions):.0%}"], alarms


def too_many(alarms: int, series: int) -> bool:
    """Whether so many false alarms are more than the level allows (one-sided 1 %)."""
    return float(stats.binom.sf(alarms - 1, series, LEVEL)) < 0.01


def main(argv: Sequence[str]) -> int:
    """Print the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1000, help="series without a change, for each row")
    parser.add_argument("--planted", type=int, default=200, help="planted changes, for each figure")
    options = parser.parse_args(argv)
    began = time.monotonic()
    rows, wrong = [], []
    for name, method in methods().items():
        for kind in NOISES:
            cells, alarms = row(name, method, kind, options.series, options.planted)
            rows.append(cells)
            if name.startswith("steps") and too_many(alarms, options.series):
                wrong.append(
                    f"{name}, {kind}: {alarms} of {options.series} series without a change have a change point"
                )
            print(f"{time.monotonic() - began:.0f} s: {name}, {kind}", file=sys.stderr, flush=True)
    sizes = [f"{size} sd, 3 / 10 runs after" for size in STEPS_SD]
    print_table(("method", "noise", "false alarms (95 % bound)", *sizes, "3 sd, undone after 10"), rows)
    print(f"\n{options.series} series and {options.planted} planted changes a figure.")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
