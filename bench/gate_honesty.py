"""Is the comparison of `brownout gate --against` and `--baseline` honest on real runs? Resumable.

    python -m bench.gate_honesty                    # plays what is missing: 90 runs, 1.5 hours; then prints the tables
    python -m bench.gate_honesty --replay           # also repeats runs that a busy machine made unusable
    python -m bench.gate_honesty --table            # only prints the tables of the stored results
    python -m bench.gate_honesty --write            # also writes them into docs/honesty.md
    python -m bench.gate_honesty --experiment cut-streams --results other.jsonl

*Store*: 20 seeds, each played twice in turn on the same stack: 40 runs. Comparisons of 5, 8 and 10 pairs are drawn from
them; every `fail` is a false alarm. `bench.gate_resampling` says what is drawn, and which bounds hold for what.

*Live*: two gates `--against` the same stack, of five pairs each, with seeds of their own; together one of ten pairs.
They check that the gate itself, which plays its sides in turn, does as the resampled comparisons.

*Planted*: five stacks, each worse in one way, with five seeds of the store, against every choice of the store's runs
of these seeds. A plant on another experiment gets runs of the unchanged stack there. The five runs of a plant are one
independent comparison, so the exact bound of the share found is over plants; `--plant-pairs 10` gives two for each.

*Size*: a known worsening is added to the head's runs in drawn comparisons, one measure at a time. The smallest size
that 99 % of them find is shown beside the size that unchanged comparisons state (`detectable`).

Runs are played one at a time. Only the values of a run are kept, one line each in `bench/results/gate_honesty.jsonl`.
The tables take two minutes. A run whose machine was in doubt is stored, but does not count. Exits 1 where the upper
bound of the rate of false alarms is above 3 % or unknown, or where a live gate failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from bench.cells import Results, Row, in_parallel, play, slim
from bench.gate_tables import Stored, findings_of, problems, report_text
from bench.plants import COMPARED, Plant, write_stack
from bench.provenance import commit, machine_class
from bench.table import write_between
from brownout import GateError
from brownout import run as play_gate
from reports.comparison.chance import MIN_PAIRS
from reports.comparison.side_by_side import read_report
from reports.gating.run_values import RunValues, run_values

__all__ = ["Cell", "cells_of", "main", "missing_cells", "run_row", "stored_of", "values_of"]

PAGE: Final = Path(__file__).parents[1] / "docs" / "honesty.md"
BEGIN: Final = "<!-- bench.gate_honesty: begin -->"
END: Final = "<!-- bench.gate_honesty: end -->"
STACK: Final = "multi-cloud"
RUN_S: Final = 60.0
"""About how long a run takes, where none is stored."""
SLOW_START: Final = 1.0
"""Load average of a core above which a warning is printed: the machine has other work."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run, or one live gate. `kind`: store, plant, base (of a plant on another experiment) or live.

    `half`: 0 or 1 of the store's two runs of a seed. Of a live gate, `seed` is the first one.
    """

    kind: str
    experiment: str
    plant: str
    seed: int
    half: int = 0

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return 2 * MIN_PAIRS if self.kind == "live" else 1

    @property
    def name(self) -> str:
        words = (self.kind, Path(self.experiment).stem, self.plant.replace(" ", "-"), str(self.seed), "ab"[self.half])
        return "-".join(word for word in words if word)


def cells_of(
    experiment: str, pairs: int, first_seed: int, plants: Sequence[Plant], plant_pairs: int, gates: int
) -> list[Cell]:
    """All cells in the order in which they are played: the store, the plants, the live gates."""
    seeds = range(first_seed, first_seed + pairs)
    cells = [Cell("store", experiment, "", seed, half) for seed in seeds for half in (0, 1)]
    for plant in plants:
        for number, seed in enumerate(seeds[:plant_pairs]):
            pair = [Cell("plant", plant.experiment, plant.name, seed)]
            if plant.experiment != experiment:
                pair.append(Cell("base", plant.experiment, "", seed))
            cells += reversed(pair) if number % 2 else pair  # a machine that becomes slower slows both
    live = first_seed + 1000
    cells += [Cell("live", experiment, "", live + MIN_PAIRS * number) for number in range(gates)]
    return list(dict.fromkeys(cells))


def cell_of(row: Row) -> Cell:
    """The cell of a stored row."""
    return Cell(*(row[key] for key in ("kind", "experiment", "plant", "seed", "half")))


def usable(row: Row) -> bool:
    """Whether the runs of a row count: none is missing, and no machine was in doubt."""
    if "pairs" in row and len(row["pairs"]) < MIN_PAIRS:
        return False
    values = [run for pair in row.get("pairs", ()) for run in pair] + ([row["values"]] if row.get("values") else [])
    return bool(values) and not any(run["doubtful"] or not run["sound"] for run in values)


def missing_cells(cells: Iterable[Cell], rows: Iterable[Row], machine: str, *, replay: bool) -> list[Cell]:
    """The cells without a result of this class of machine; with `replay`, also those whose result does not count."""
    last = {cell_of(row): row for row in rows if row["machine"] == machine}
    return [cell for cell in cells if cell not in last or (replay and not usable(last[cell]))]


def encoded(values: RunValues) -> Row:
    """For a JSON line. Infinite values are `never`, `-never`: JSON has no form for them."""
    row: Row = msgspec.to_builtins(values)
    for cells in row["measures"].values():
        cells.update({cell: _word(value) for cell, value in cells.items()})
    return row


def _word(value: float) -> float | str:
    return {float("inf"): "never", float("-inf"): "-never"}.get(value, value)


def values_of(row: Row) -> RunValues:
    """The values of a run from a JSON line."""
    words = {"never": float("inf"), "-never": float("-inf")}
    measures = {
        name: {cell: words.get(value, value) for cell, value in cells.items()}
        for name, cells in row["measures"].items()
    }
    return msgspec.convert({**row, "measures": measures}, type=RunValues)


def stored_of(rows: Iterable[Row], cells: Iterable[Cell], machine: str) -> Stored:
    """What the stored rows of one class of machine have of these cells. What does not count is left out."""
    last = {cell_of(row): row for row in rows if row["machine"] == machine}
    wanted = list(cells)
    known = {cell: last[cell] for cell in wanted if cell in last}
    good = {cell: row for cell, row in known.items() if usable(row)}
    halves: dict[int, list[RunValues]] = defaultdict(list)
    heads: dict[str, list[RunValues]] = defaultdict(list)
    bases: dict[str, dict[int, list[RunValues]]] = defaultdict(lambda: defaultdict(list))
    live = []
    for cell, row in good.items():
        if cell.kind == "live":
            live.append([(values_of(head), values_of(base)) for head, base in row["pairs"]])
            continue
        values = values_of(row["values"])
        if cell.kind == "plant":
            heads[cell.plant].append(values)
        else:
            bases[cell.experiment][cell.seed].append(values)
        if cell.kind == "store":
            halves[cell.seed].append(values)
    return Stored(
        experiment=next((cell.experiment for cell in wanted), ""),
        wanted=sum(cell.kind == "store" for cell in wanted) // 2,
        pairs=[(first, second) for first, second in (one for one in halves.values() if len(one) == 2)],
        live=live,
        live_verdicts=[str(row["verdict"]) for cell, row in good.items() if cell.kind == "live"],
        heads=dict(heads),
        bases={name: dict(found) for name, found in bases.items()},
        plants=[plant for plant in COMPARED if any(cell.plant == plant.name for cell in wanted)],
        plant_pairs=max((sum(cell.plant == plant.name for cell in wanted) for plant in COMPARED), default=0),
        unplayed=sum(cell.runs for cell in wanted if cell not in known),
        doubted=sum(cell.runs for cell in known if cell not in good),
        commits=tuple(dict.fromkeys(str(row["commit"]) for row in known.values())),
        machine=machine,
        hours=sum(float(row["seconds"]) for row in known.values()) / 3600,
        busiest=max((float(row["load_average"]) for row in known.values()), default=0.0),
    )


def run_row(cell: Cell, folder: Path) -> Row:
    """Play one run below `folder`, and return its row."""
    plant = next((one for one in COMPARED if one.name == cell.plant), None)
    stack = str(write_stack(plant, folder)) if plant is not None else STACK
    row, record = play(cell.experiment, "--stack", stack, "--seed", str(cell.seed), runs=folder / cell.name)
    kept: Row = {key: row[key] for key in ("exit", "verdict", "doubts", "output") if key in row}
    if record is not None and row["exit"] != 130:
        kept["values"] = encoded(run_values(read_report(record)[1]))
    slim(record)
    return kept


def gate_row(cell: Cell, folder: Path) -> Row:
    """Play one live gate below `folder`, and return its row."""
    seed = cell.seed
    try:
        result = play_gate(
            cell.experiment, stack=STACK, against=STACK, repeat=MIN_PAIRS, seed=seed, out=folder / cell.name
        )
    except GateError as error:
        return {"exit": 5, "verdict": "failed", "output": str(error)[-400:]}
    if result.exit_code == 130 or not result.experiments:
        return {"exit": result.exit_code, "verdict": result.verdict}
    (found,) = result.experiments
    sides: dict[str, dict[int, Row]] = {"head": {}, "base": {}}
    for run in found.runs:
        record = result.folder / run.folder
        if (record / "report.json").is_file():
            values = run_values(read_report(record)[1])
            sides[run.side][run.seed] = encoded(values)
        slim(record)
    pairs = [[head, sides["base"][seed]] for seed, head in sides["head"].items() if seed in sides["base"]]
    verdict = found.comparison.verdict if found.comparison is not None else found.verdict
    return {"exit": result.exit_code, "verdict": verdict, "pairs": pairs}


def play_cell(cell: Cell, folder: Path) -> Row:
    """Play a cell. Its row has where, when and how it was played beside what was found."""
    began, load = time.monotonic(), os.getloadavg()[0]
    made_by, machine = commit(), machine_class()
    found = gate_row(cell, folder) if cell.kind == "live" else run_row(cell, folder)
    return {
        "kind": cell.kind,
        "experiment": cell.experiment,
        "plant": cell.plant,
        "seed": cell.seed,
        "half": cell.half,
        **found,
        "load_average": round(load, 2),
        "seconds": round(time.monotonic() - began, 1),
        "commit": made_by,
        "machine": machine,
    }


def plan_text(missing: Sequence[Cell], rows: Iterable[Row]) -> str:
    """How many runs are left, and how long they take."""
    runs = sum(cell.runs for cell in missing)
    each = median([row["seconds"] / cell_of(row).runs for row in rows] or [RUN_S])
    return f"{runs} runs left, about {each:.0f} s each: {runs * each / 3600:.1f} hours"


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ",".join(plant.name for plant in COMPARED)
    made.add_argument("--experiment", default="cloud-outage", help="a name from `brownout list`, or a file")
    made.add_argument("--pairs", type=int, default=20, help="seeds of the store, each played twice")
    made.add_argument("--first-seed", type=int, default=2001)
    made.add_argument("--plants", default=names, help=f"separated by commas: {names}")
    made.add_argument("--plant-pairs", type=int, default=MIN_PAIRS, help="runs of each plant, a multiple of five")
    made.add_argument("--live", type=int, default=2, help="live gates of five pairs")
    made.add_argument("--draws", type=int, default=5000, help="resampled comparisons for each number of pairs")
    made.add_argument("--size-draws", type=int, default=400, help="the same for each size that is tried")
    made.add_argument("--runs", type=Path, default=Path("runs/gate_honesty"))
    made.add_argument(
        "--results", type=Path, default=Path("gate_honesty.jsonl"), help="file in bench/results, or a path"
    )
    made.add_argument("--replay", action="store_true", help="repeat runs that do not count")
    made.add_argument("--table", action="store_true", help="only print the stored results")
    made.add_argument("--write", action="store_true", help="write docs/honesty.md")
    made.add_argument("--again", action="store_true", help="discard the stored results")
    return made


def main(argv: list[str]) -> int:
    """Play what is missing, print the tables. Returns the exit code."""
    made = parser()
    options = made.parse_args(argv)
    plants = [plant for plant in COMPARED if plant.name in [word.strip() for word in options.plants.split(",")]]
    if options.pairs < MIN_PAIRS or options.plant_pairs % MIN_PAIRS or options.plant_pairs > options.pairs:
        made.error(f"--pairs: at least {MIN_PAIRS}; --plant-pairs: a multiple of {MIN_PAIRS}, at most --pairs")
    results = Results(options.results, again=options.again)
    cells = cells_of(options.experiment, options.pairs, options.first_seed, plants, options.plant_pairs, options.live)
    machine = machine_class()
    if options.table and results.rows:
        machine = str(results.rows[-1]["machine"])
    if not options.table and not play_missing(cells, results, machine, options):
        return 130
    stored = stored_of(results.rows, cells, machine)
    found = findings_of(stored, draws=options.draws, size_draws=options.size_draws)
    text, wrong = report_text(stored, found), problems(found)
    print(text, *wrong, sep="\n\n")
    if options.write:
        write_between(PAGE, BEGIN, END, text)
    return int(bool(wrong))


def play_missing(cells: Sequence[Cell], results: Results, machine: str, options: argparse.Namespace) -> bool:
    """Play the missing cells. False: interrupted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missing = missing_cells(cells, results.rows, machine, replay=options.replay)
    print(plan_text(missing, results.rows), flush=True)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    if missing and load > SLOW_START:
        print(f"warning: the load average is {load:.1f} a core: runs may not count. Use a quiet machine", flush=True)
    runs = [cell for cell in missing if cell.kind != "live"]
    gates = [cell for cell in missing if cell.kind == "live"]

    def kept(row: Row) -> bool:
        if row["verdict"] == "interrupted":
            return False
        results.keep(row)
        aside = "" if usable(row) else f": does not count ({'; '.join(row.get('doubts', ())) or row.get('output', '')})"
        print(f"{cell_of(row).name}: {row['verdict']}{aside}", flush=True)
        return True

    if not all(kept(row) for row in in_parallel(runs, 1, lambda cell: play_cell(cell, options.runs))):
        return False
    # In this thread: the library ends its gate when it is interrupted here.
    return all(kept(play_cell(cell, options.runs)) for cell in gates)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
