"""A/A runs and planted regressions: no false alarms, and no regression missed?

    python -m bench.honesty                  # ten pairs without a fault, every planted regression with three seeds
    python -m bench.honesty --pairs 2 --seeds 1
    python -m bench.honesty --replay         # repeat runs that a busy machine made useless
    python -m bench.honesty --table          # only print the stored results; --write: into docs/honesty.md

A/A: the same experiment without its faults, twice with the same seed, for ten seeds. No gate may fail in any of the
twenty runs, and no measure may differ between first and second runs: the t interval of the mean difference over all
pairs must contain 0, at 5 % for all measures together (Bonferroni). The spread of the differences is the variation
between two equal runs on this machine; the interval of a single run does not contain it.

Planted: multi-cloud with one policy made worse, on an experiment with a gate about that policy. Caught: the gate fails
with every seed, and passes with the original multi-cloud.

Resumable. Results are appended to `bench/results/honesty.jsonl`, one line per pair or planted seed. A run takes 90 s.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from scipy import stats

from bench.cells import Results, Row, in_parallel, play, slim
from bench.plants import PLANTS, Plant, write_experiment, write_stack
from chaos.experiment.model import EXPERIMENTS
from reports.comparison.paired import differences
from reports.gates.grammar import parse_gate
from reports.history.evidence import gather
from reports.record.reader import read_record
from reports.shared.wording import value_text

PAGE = Path(__file__).parents[1] / "docs" / "honesty.md"
BEGIN, END = "<!-- made by python -m bench.honesty --write -->", "<!-- end -->"
QUIET = "lose-tpu-pool"
"""The experiment that is run without its faults."""

LOAD_S = 50
"""Length of its baseline, seconds."""

IN_DOUBT = "in doubt"
"""Verdict of a pair with a run on a busy machine: the pair does not count."""


def write_quiet(folder: Path) -> Path:
    """Write the experiment without its faults; gates about faults are left out. Returns the path."""
    file: dict[str, Any] = yaml.safe_load((EXPERIMENTS / f"{QUIET}.yaml").read_text())
    gates = [gate for gate in file["gates"] if not parse_gate(gate).spec.about_fault and "during" not in gate]
    file.update(name="quiet", title="No fault", timeline={"warmup": "5s", "baseline": f"{LOAD_S}s"}, gates=gates)
    file.pop("headline_gate", None)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "quiet.yaml"
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    return path


def play_pair(seed: int, runs: Path) -> Row:
    """Two runs of one seed: their verdicts, and the differences between them."""
    experiment = write_quiet(runs)
    played = [play(str(experiment), "--seed", str(seed), runs=runs / f"aa-{seed}") for _ in range(2)]
    row: Row = {"kind": "pair", "seed": seed, "runs": [row for row, _ in played]}
    first, second = (folder for _, folder in played)
    if first is None or second is None:
        return {**row, "verdict": next(one["verdict"] for one, folder in played if folder is None)}
    compared = differences(gather(read_record(first)), gather(read_record(second)))
    row["differences"] = {
        found.measure: {
            "here": found.here,
            "there": found.there,
            "difference": found.difference,
            "unit": found.unit,
            "beyond_sessions": found.beyond_sessions,
        }
        for found in compared
        if found.phase is None
    }
    for _, folder in played:
        slim(folder)
    failed = any(gate["verdict"] == "fail" for one, _ in played for gate in one["gates"].values())
    doubted = any(one["doubts"] for one, _ in played)
    row["verdict"] = IN_DOUBT if doubted else "fail" if failed else "sound"
    return row


def play_plant(plant: Plant, seed: int, runs: Path) -> Row:
    """One planted regression: the gate on the original stack and on the changed one."""
    experiment = write_experiment(plant, runs)
    row: Row = {"kind": "plant", "plant": plant.name, "seed": seed, "gate": plant.gate}
    for key, stack in (("original", "multi-cloud"), ("changed", str(write_stack(plant, runs)))):
        folder = runs / f"{experiment.stem}-{key}-{seed}"
        played, record = play(str(experiment), "--stack", stack, "--seed", str(seed), runs=folder)
        slim(record)
        row[key] = {**played, "gates": {plant.gate: played.get("gates", {}).get(plant.gate)}}
    verdicts = [(row[key]["gates"][plant.gate] or {}).get("verdict") for key in ("original", "changed")]
    row["verdict"] = "caught" if verdicts == ["pass", "fail"] else f"not caught ({verdicts[0]}, then {verdicts[1]})"
    return row


def pair_table(rows: Sequence[Row]) -> str:
    """Markdown: per measure, the mean difference over the pairs with its interval, and the spread of two runs."""
    doubted = sum(row["verdict"] == IN_DOUBT for row in rows)
    rows = [row for row in rows if row["verdict"] != IN_DOUBT]
    failed = [f"seed {row['seed']}" for row in rows if row["verdict"] != "sound"]
    runs = [one for row in rows for one in row["runs"]]
    verdicts = {word: sum(one["verdict"] == word for one in runs) for word in dict.fromkeys(r["verdict"] for r in runs)}
    counts = ", ".join(f"{n} {word}" for word, n in verdicts.items())
    lines = [
        f"{len(rows)} pairs: {counts or 'none'}; pairs with a failed gate: {', '.join(failed) or 'none'}."
        + (f" {doubted} more ran on a busy machine and do not count." if doubted else ""),
        "",
        "| measure | mean | mean difference (t interval) | differs over all pairs? "
        "| difference of two runs: median, max | pairs whose own interval excludes 0 |",
        "|---|---|---|---|---|---|",
    ]
    names = dict.fromkeys(name for row in rows for name in row.get("differences", {}))
    for name in names:
        found = [row["differences"][name] for row in rows if name in row.get("differences", {})]
        lines.append(_pair_row(name, [one for one in found if math.isfinite(one["difference"])], len(names)))
    return "\n".join(lines)


def _pair_row(name: str, found: Sequence[dict[str, Any]], measures: int) -> str:
    unit = found[0]["unit"]
    differences = [one["difference"] for one in found]
    mean = sum(differences) / len(differences)
    level = 0.05 / measures
    spread = math.sqrt(sum((one - mean) ** 2 for one in differences) / max(1, len(differences) - 1))
    half = float(stats.t.ppf(1 - level / 2, len(differences) - 1)) * spread / math.sqrt(len(differences))
    if len(differences) < 2:
        half = math.inf
    sizes = sorted(abs(one) for one in differences)
    level_of = sum(one["here"] + one["there"] for one in found) / 2 / len(found)
    cells = (
        f"`{name}`",
        value_text(level_of, unit),
        f"{_signed(mean, unit)} (± {value_text(half, unit)})",
        "yes" if abs(mean) > half else "no",
        f"{value_text(sizes[len(sizes) // 2], unit)}, {value_text(sizes[-1], unit)}",
        f"{sum(one.get('beyond_sessions', one.get('differs', False)) for one in found)} of {len(found)}",
    )
    return f"| {' | '.join(cells)} |"


def _signed(value: float, unit: str) -> str:
    return ("-" if value < 0 else "+") + value_text(abs(value), unit)


def plant_table(rows: Sequence[Row]) -> str:
    """Markdown: one row per planted regression."""
    lines = ["| planted | experiment | gate | multi-cloud | changed | caught |", "|---|---|---|---|---|---|"]
    for plant in PLANTS:
        found = [row for row in rows if row["plant"] == plant.name and "original" in row]  # older rows lack it
        if not found:
            continue
        values = [
            ", ".join(_gate_text(row[key]["gates"][plant.gate]) for row in found) for key in ("original", "changed")
        ]
        caught = sum(row["verdict"] == "caught" for row in found)
        cells = (plant.name, plant.experiment, f"`{plant.gate}`", *values, f"{caught} of {len(found)}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _gate_text(gate: dict[str, Any] | None) -> str:
    return "none" if gate is None else f"{gate['verdict']} {value_text(gate['value'], gate['unit'])}"


def tables(rows: Iterable[Row]) -> str:
    """Both tables, from the last row of each pair and plant."""
    pairs = {row["seed"]: row for row in rows if row["kind"] == "pair"}
    plants = {(row["plant"], row["seed"]): row for row in rows if row["kind"] == "plant"}
    parts = []
    if pairs:
        parts.append(f"## Runs without a fault\n\n{pair_table(list(pairs.values()))}")
    if plants:
        parts.append(f"## Planted regressions\n\n{plant_table(list(plants.values()))}")
    return "\n\n".join(parts)


def main(argv: list[str]) -> int:
    """Run the missing cells, print the tables. Returns 1 if a pair is not sound or a plant was not caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="number of A/A pairs")
    parser.add_argument("--seeds", default="1,2,3", help="seeds of the planted regressions")
    parser.add_argument("--plants", default=",".join(plant.name for plant in PLANTS))
    parser.add_argument("--jobs", type=int, default=1, help="pairs or plants at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/honesty"))
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--write", action="store_true", help="write docs/honesty.md")
    parser.add_argument("--replay", action="store_true", help="repeat runs on a busy machine, and failed ones")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    options = parser.parse_args(argv)
    results = Results("honesty.jsonl", again=options.again)
    last = {(row["kind"], row.get("plant"), row["seed"]): row["verdict"] for row in results.rows}
    done = {cell for cell, verdict in last.items() if not options.replay or verdict in ("sound", "caught")}
    chosen = [plant for plant in PLANTS if plant.name in options.plants.split(",")]
    cells: list[tuple[Plant | None, int]] = [(None, seed) for seed in range(1, options.pairs + 1)]
    cells += [(plant, int(seed)) for seed in options.seeds.split(",") if seed for plant in chosen]
    missing = [
        (plant, seed)
        for plant, seed in cells
        if ("plant" if plant else "pair", plant.name if plant else None, seed) not in done
    ]

    def one(cell: tuple[Plant | None, int]) -> Row:
        plant, seed = cell
        return play_pair(seed, options.runs) if plant is None else play_plant(plant, seed, options.runs)

    for row in in_parallel([] if options.table else missing, options.jobs, one):
        if "interrupted" in (
            row["verdict"],
            row.get("original", {}).get("verdict"),
            row.get("changed", {}).get("verdict"),
        ):
            return 130
        results.keep(row)
        print(row["kind"], row.get("plant", ""), row["seed"], row["verdict"], flush=True)
    text = tables(results.rows)
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")
    final = {(row["kind"], row.get("plant"), row["seed"]): row["verdict"] for row in results.rows}
    return int(any(verdict not in ("sound", "caught") for verdict in final.values()))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
