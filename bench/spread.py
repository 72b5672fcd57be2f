"""The spread between two equal runs of an experiment: the file that `--spread` takes.

    python -m bench.spread EXPERIMENT --out spread.json                # plays 8 seeds twice, each with its twin
    python -m bench.spread EXPERIMENT --out spread.json --stack naive --pairs 5 --first-seed 101
    python -m bench.spread --out spread.json --from RUN RUN...         # from finished runs instead

Two runs of the same experiment, target and seed are an A/A pair. Played with `--twin`, a seed gives two pairs: with the
faults and without. Pairs with a run on a busy machine, or that did not end, do not count; at least five are needed.
Resumable: runs that are in `--runs` are not played again, unless the machine was busy. Only their reports are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.cells import play, slim
from bench.provenance import commit
from chaos.experiment.model import load_experiment
from reports.comparison.chance import MIN_PAIRS
from reports.comparison.conditions import conditions_of
from reports.comparison.side_by_side import read_report
from reports.comparison.spread import Spread, SpreadFile, measured_spread
from reports.shared.errors import UserError

Report = dict[str, Any]
Pair = tuple[Report, Report]


def groups(reports: Iterable[Report]) -> dict[str, list[Pair]]:
    """The A/A pairs of each experiment, target and kind of run: the runs of a seed two by two, as they were played."""
    by_seed: dict[tuple[str, int], list[Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda one: str(one["run"]["started_at"])):
        if report["proofs"]["doubts"] or not all(phase["finished"] for phase in report["phases"]):
            continue
        played = conditions_of(report["run"], report["phases"])
        kind = f"{played.experiment} on {played.target}{' without its faults' if played.twin else ''}"
        by_seed[kind, report["run"]["seed"]].append(report)
    found: dict[str, list[Pair]] = defaultdict(list)
    for (kind, _), runs in by_seed.items():
        found[kind] += zip(runs[::2], runs[1::2], strict=False)
    return {kind: pairs for kind, pairs in found.items() if pairs}


def spreads_of(reports: Iterable[Report], made_by: str) -> tuple[list[Spread], list[str]]:
    """The spread of each group, and for those without one why not."""
    spreads, problems = [], []
    for kind, pairs in groups(reports).items():
        try:
            spreads.append(measured_spread(pairs, made_by))
        except ValueError as error:
            problems.append(f"{kind}: {error}")
    return spreads, problems


def play_pairs(experiment: str, stack: str | None, seeds: Sequence[int], runs: Path) -> None:
    """Play each seed twice, where the runs are missing. Raises KeyboardInterrupt if a run was interrupted."""
    options = ["--twin"] if load_experiment(experiment).faults else []
    options += ["--stack", stack] if stack else []
    for seed in seeds:
        for half in ("a", "b"):
            folder = runs / f"{seed}-{half}"
            if (folder / "done").exists():
                continue
            row, _ = play(experiment, "--seed", str(seed), *options, runs=folder)
            if row["verdict"] == "interrupted":
                raise KeyboardInterrupt
            print(f"seed {seed} {half}: {row['verdict']}", flush=True)
            for report in folder.glob("*/report.json"):
                slim(report.parent)
            if row.get("doubts") == []:
                (folder / "done").touch()


def main(argv: list[str]) -> int:
    """Play what is missing, write the file. Returns 1 if no group of runs has enough pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", help="a name of the catalogue, or a file")
    parser.add_argument("--stack", help="instead of the experiment's own")
    parser.add_argument("--pairs", type=int, default=8, help=f"number of seeds, at least {MIN_PAIRS}")
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--runs", type=Path, default=Path("runs/spread"))
    parser.add_argument("--from", dest="given", type=Path, nargs="+", default=[], metavar="RUN", help="finished runs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    if bool(options.experiment) == bool(options.given):
        parser.error("name an experiment, or finished runs with --from")
    folders = list(options.given)
    if options.experiment:
        runs = options.runs / f"{Path(options.experiment).stem}-{Path(options.stack or 'own').stem}"
        seeds = range(options.first_seed, options.first_seed + options.pairs)
        play_pairs(options.experiment, options.stack, seeds, runs)
        folders = sorted(path.parent for path in runs.glob("*/*/report.json"))
    try:
        spreads, problems = spreads_of([read_report(folder)[1] for folder in folders], commit())
    except UserError as error:
        parser.error(str(error))
    for problem in problems:
        print(problem, file=sys.stderr)
    if not spreads:
        return 1
    content = msgspec.json.encode(SpreadFile(1, spreads))
    options.out.write_text(json.dumps(json.loads(content), indent=1, sort_keys=True) + "\n")
    for spread in spreads:
        played = spread.conditions
        twin = " without its faults" if played.twin else ""
        print(f"{played.experiment} on {played.target}{twin}: {spread.pairs} pairs, {len(spread.measures)} measures")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
