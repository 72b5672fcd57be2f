"""A/A and planted regressions: does it find nothing where there is nothing, and something where there is?

    python -m bench.honesty                  # ten pairs without a fault, and every planted regression with three seeds
    python -m bench.honesty --pairs 2 --seeds 1
    python -m bench.honesty --replay         # what a busy machine spoiled again
    python -m bench.honesty --table          # only print what is there; --write: into docs/honesty.md

A/A: the same experiment without its faults, twice with the same seed, ten seeds. No gate may fail in any of the twenty
runs, and no measure may differ between first and second runs over all pairs: the mean of the differences, with its t
interval, is held against 0 at 5 % for all measures together (Bonferroni). The spread of the differences is what two
runs of the same differ by on this machine, which no interval of one run can know.

Planted: a stack file of multi-cloud with one policy spoiled, on an experiment with a gate about it. Caught: that gate
fails with every seed, and passes with multi-cloud itself.

Resumable; results go to `bench/results/honesty.jsonl`, a line a pair or a planted seed. A run takes about 85 s.
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

from bench.cells import Results, Row, play, played_side_by_side, slim
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
"""The experiment that is played without its faults."""

LOAD_S = 50

IN_DOUBT = "in doubt"
"""A pair of which one run was played on a busy machine: it says nothing, and does not count."""


def write_quiet(folder: Path) -> Path:
    """The experiment without faults: what its gates say about the baseline holds for all of the run."""
    file: dict[str, Any] = yaml.safe_load((EXPERIMENTS / f"{QUIET}.yaml").read_text())
    gates = [gate for gate in file["gates"] if not parse_gate(gate).spec.about_fault and "during" not in gate]
    file.update(name="quiet", title="Nothing happens", timeline={"warmup": "5s", "baseline": f"{LOAD_S}s"}, gates=gates)
    file.pop("headline_gate", None)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "quiet.yaml"
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    return path


def play_pair(seed: int, runs: Path) -> Row:
    """Two runs of one seed: their verdicts, and what differs between them."""
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
            "differs": found.differs,
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
    """One planted regression beside the stack as it is."""
    experiment = write_experiment(plant, runs)
    row: Row = {"kind": "plant", "plant": plant.name, "seed": seed, "gate": plant.gate}
    for key, stack in (("well", "multi-cloud"), ("spoiled", str(write_stack(plant, runs)))):
        folder = runs / f"{experiment.stem}-{key}-{seed}"
        played, record = play(str(experiment), "--stack", stack, "--seed", str(seed), runs=folder)
        slim(record)
        row[key] = {**played, "gates": {plant.gate: played.get("gates", {}).get(plant.gate)}}
    verdicts = [(row[key]["gates"][plant.gate] or {}).get("verdict") for key in ("well", "spoiled")]
    row["verdict"] = "caught" if verdicts == ["pass", "fail"] else f"not caught ({verdicts[0]}, then {verdicts[1]})"
    return row


def pair_table(rows: Sequence[Row]) -> str:
    """Markdown: by measure, the mean difference over the pairs with its interval, and how far two runs lie apart."""
    doubted = sum(row["verdict"] == IN_DOUBT for row in rows)
    rows = [row for row in rows if row["verdict"] != IN_DOUBT]
    failed = [f"seed {row['seed']}" for row in rows if row["verdict"] != "sound"]
    runs = [one for row in rows for one in row["runs"]]
    verdicts = {word: sum(one["verdict"] == word for one in runs) for word in dict.fromkeys(r["verdict"] for r in runs)}
    said = ", ".join(f"{n} {word}" for word, n in verdicts.items())
    lines = [
        f"{len(rows)} pairs: {said or 'none'}; pairs with a failed gate: {', '.join(failed) or 'none'}."
        + (f" {doubted} more were played on a busy machine, and do not count." if doubted else ""),
        "",
        "| measure | mean | mean difference (t interval) | differs over all pairs? | two runs lie apart: median, most "
        "| pairs whose own interval has no 0 |",
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
    apart = sorted(abs(one) for one in differences)
    level_of = sum(one["here"] + one["there"] for one in found) / 2 / len(found)
    cells = (
        f"`{name}`",
        value_text(level_of, unit),
        f"{_signed(mean, unit)} (± {value_text(half, unit)})",
        "yes" if abs(mean) > half else "no",
        f"{value_text(apart[len(apart) // 2], unit)}, {value_text(apart[-1], unit)}",
        f"{sum(one['differs'] for one in found)} of {len(found)}",
    )
    return f"| {' | '.join(cells)} |"


def _signed(value: float, unit: str) -> str:
    return ("-" if value < 0 else "+") + value_text(abs(value), unit)


def plant_table(rows: Sequence[Row]) -> str:
    """Markdown: a row a planted regression."""
    lines = ["| planted | experiment | gate | multi-cloud | spoiled | caught |", "|---|---|---|---|---|---|"]
    for plant in PLANTS:
        found = [row for row in rows if row["plant"] == plant.name]
        if not found:
            continue
        values = [", ".join(_gate_text(row[key]["gates"][plant.gate]) for row in found) for key in ("well", "spoiled")]
        caught = sum(row["verdict"] == "caught" for row in found)
        cells = (plant.name, plant.experiment, f"`{plant.gate}`", *values, f"{caught} of {len(found)}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _gate_text(gate: dict[str, Any] | None) -> str:
    return "none" if gate is None else f"{gate['verdict']} {value_text(gate['value'], gate['unit'])}"


def made(rows: Iterable[Row]) -> str:
    """Both tables, of the last play of each."""
    pairs = {row["seed"]: row for row in rows if row["kind"] == "pair"}
    plants = {(row["plant"], row["seed"]): row for row in rows if row["kind"] == "plant"}
    parts = []
    if pairs:
        parts.append(f"## Nothing where there is nothing\n\n{pair_table(list(pairs.values()))}")
    if plants:
        parts.append(f"## Something where there is\n\n{plant_table(list(plants.values()))}")
    return "\n\n".join(parts)


def main(argv: list[str]) -> int:
    """Play what is missing, print the tables. 1 where a gate failed without a fault, or a plant was not caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="A/A pairs")
    parser.add_argument("--seeds", default="1,2,3", help="of the planted regressions")
    parser.add_argument("--plants", default=",".join(plant.name for plant in PLANTS))
    parser.add_argument("--jobs", type=int, default=1, help="pairs or plants at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/honesty"))
    parser.add_argument("--table", action="store_true", help="only print")
    parser.add_argument("--write", action="store_true", help="write docs/honesty.md")
    parser.add_argument("--replay", action="store_true", help="play again what a busy machine spoiled, or failed")
    parser.add_argument("--again", action="store_true", help="forget what was played")
    options = parser.parse_args(argv)
    results = Results("honesty.jsonl", again=options.again)
    last = {(row["kind"], row.get("plant"), row["seed"]): row["verdict"] for row in results.rows}
    have = {cell for cell, verdict in last.items() if not options.replay or verdict in ("sound", "caught")}
    chosen = [plant for plant in PLANTS if plant.name in options.plants.split(",")]
    cells: list[tuple[Plant | None, int]] = [(None, seed) for seed in range(1, options.pairs + 1)]
    cells += [(plant, int(seed)) for seed in options.seeds.split(",") if seed for plant in chosen]
    missing = [
        (plant, seed)
        for plant, seed in cells
        if ("plant" if plant else "pair", plant.name if plant else None, seed) not in have
    ]

    def one(cell: tuple[Plant | None, int]) -> Row:
        plant, seed = cell
        return play_pair(seed, options.runs) if plant is None else play_plant(plant, seed, options.runs)

    for row in played_side_by_side([] if options.table else missing, options.jobs, one):
        if "interrupted" in (row["verdict"], row.get("well", {}).get("verdict"), row.get("spoiled", {}).get("verdict")):
            return 130
        results.keep(row)
        print(row["kind"], row.get("plant", ""), row["seed"], row["verdict"], flush=True)
    text = made(results.rows)
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
