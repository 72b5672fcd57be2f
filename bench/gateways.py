"""Real gateways x experiments x seeds: what each did when a pool died and when streams were cut. Resumable.

    python -m bench.gateways                            # nginx, HAProxy, LiteLLM and Envoy, default and tuned, 3 seeds
    python -m bench.gateways --gateways nginx:tuned --seeds 101
    python -m bench.gateways --table                    # only print the stored results
    python -m bench.gateways --write                    # also write them into docs/gateways.md

Each gateway must be installed (`brownout targets install NAME`). A table is of one commit of the four packages. A run
takes about 100 s, all 48 about 85 minutes. LiteLLM gets a part of the load (`SCALES`), because it carries no more on
one core: compare its rows with each other. The whole record of one run of each row is kept, for its trace.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.cells import Results, Row, in_parallel, play, slim
from bench.provenance import code_commit, machine_class
from bench.table import write_between
from reports.shared.wording import value_text
from targets.adapters.catalogue import ADAPTERS

PAGE: Final = Path(__file__).parents[1] / "docs" / "gateways.md"
BEGIN, END = "<!-- made by python -m bench.gateways --write -->", "<!-- end -->"
EXPERIMENTS: Final = ("lose-tpu-pool", "cut-streams")
SEEDS: Final = (101, 102, 103)
SCALES: Final = {"litellm": "0.1"}
"""The part of the load that a gateway gets which does not carry all of it."""
MEASURES: Final = (
    ("sessions_lost", "sessions lost"),
    ("failover_rate", "calls that met the fault and ended ok"),
    ("failover.max", "longest interruption"),
    ("time_to_detect", "detected after"),
    ("time_to_readmit", "readmitted after"),
    ("silent_truncations", "silent truncations"),
    ("retry_amplification", "attempts a call"),
)
"""What the table has of each run, and how it is called there."""
Cell = tuple[str, str, int]


def cells_of(gateways: Sequence[str], experiments: Sequence[str], seeds: Sequence[int]) -> list[Cell]:
    """Every run, seed by seed, so that a bench that is interrupted has some of each."""
    return [(experiment, gateway, seed) for seed in seeds for experiment in experiments for gateway in gateways]


def values_of(record: Path) -> dict[str, Any]:
    """The values of `MEASURES` in a report, and how many calls met the fault."""
    report = json.loads((record / "report.json").read_text())
    found = {name: report["measures"][name] for name, _ in MEASURES}
    return {
        "measures": {name: {"value": one["run"]["value"], "unit": one["unit"]} for name, one in found.items()},
        "met": sum(fault["calls_met"] for fault in report["faults"]),
        "saved": sum(fault["calls_saved"] for fault in report["faults"]),
        "sentence": report["explanation"]["sentence"],
    }


def table(rows: Sequence[Row], experiment: str) -> str:
    """Markdown: a row for each gateway and preset, with the range of each value over the seeds."""
    heads = ["gateway", "verdicts", "calls that met it", *(title for _, title in MEASURES)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for gateway in dict.fromkeys(row["gateway"] for row in rows):
        own = [row for row in rows if (row["gateway"], row["experiment"]) == (gateway, experiment)]
        if own:
            verdicts = ", ".join(dict.fromkeys(row["verdict"] for row in own))
            met = _range([{"value": row.get("met"), "unit": "count"} for row in own])
            values = [_range([row["measures"][name] for row in own if "measures" in row]) for name, _ in MEASURES]
            lines.append(f"| {gateway} | {verdicts} | {met} | {' | '.join(values)} |")
    return "\n".join(lines)


def _range(values: Sequence[dict[str, Any]]) -> str:
    known = [one for one in values if one["value"] is not None]
    if not known:
        return "not measured"
    ordered = sorted(known, key=lambda one: float("inf") if one["value"] == "never" else float(one["value"]))
    ends = [value_text(one["value"], one["unit"]) for one in (ordered[0], ordered[-1])]
    return " to ".join(dict.fromkeys(ends))


def provenance(rows: Sequence[Row]) -> str:
    """Which runs the tables are made of."""
    commits = ", ".join(dict.fromkeys(str(row["commit"]) for row in rows))
    machines = " and ".join(dict.fromkeys(str(row["machine"]) for row in rows))
    seeds = ", ".join(map(str, sorted({row["seed"] for row in rows})))
    hours = sum(row["seconds"] for row in rows) / 3600
    return f"{len(rows)} runs of commit {commits}, seeds {seeds}, {hours:.1f} hours, on {machines}."


def main(argv: list[str]) -> int:
    """Run the missing cells, print the tables. Returns the exit code."""
    every = [f"{name}:{preset}" for name in ADAPTERS for preset in ("default", "tuned")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateways", default=",".join(every))
    parser.add_argument("--experiments", default=",".join(EXPERIMENTS))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--runs", type=Path, default=Path("runs/gateways"))
    parser.add_argument("--results", default="gateways.jsonl", help="file of the results, in bench/results or a path")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--write", action="store_true", help="write docs/gateways.md")
    options = parser.parse_args(argv)
    results = Results(options.results)
    commit = code_commit()
    if options.table and results.rows:
        commit = str(results.rows[-1]["commit"])
    experiments, seeds = options.experiments.split(","), [int(seed) for seed in options.seeds.split(",")]
    wanted = cells_of(options.gateways.split(","), experiments, seeds)
    done = {(row["experiment"], row["gateway"], row["seed"]): row for row in results.rows if row["commit"] == commit}
    missing = [cell for cell in wanted if cell not in done]

    def one(cell: Cell) -> Row:
        experiment, gateway, seed = cell
        folder = options.runs / f"{experiment}-{gateway.replace(':', '-')}-{seed}"
        scale = SCALES.get(gateway.partition(":")[0])
        more = ("--scale", scale) if scale else ()
        began = time.monotonic()
        row, record = play(experiment, "--gateway", gateway, "--seed", str(seed), *more, runs=folder)
        found = values_of(record) if record is not None else {}
        if seed != seeds[0]:
            slim(record)
        where = {"commit": commit, "machine": machine_class(), "seconds": round(time.monotonic() - began, 1)}
        return {"experiment": experiment, "gateway": gateway, "seed": seed, "scale": scale, **where, **row, **found}

    for row in in_parallel([] if options.table else missing, 1, one):
        if row["verdict"] == "interrupted":
            return 130
        results.keep(row)
        print(row["experiment"], row["gateway"], row["seed"], row["verdict"], row.get("output", ""), flush=True)
    rows = [row for row in results.rows if row["commit"] == commit and _cell(row) in wanted]
    made = "\n\n".join(f"### {experiment}\n\n{table(rows, experiment)}" for experiment in experiments)
    print(f"{made}\n\n{provenance(rows)}" if rows else "no runs of this commit")
    if options.write and rows:
        write_between(PAGE, BEGIN, END, f"{made}\n\n{provenance(rows)}")
    return 0


def _cell(row: Row) -> Cell:
    return row["experiment"], row["gateway"], row["seed"]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
