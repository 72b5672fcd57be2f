"""Runs beside busy processes: does a machine without enough CPU ever turn a verdict into a wrong one? Resumable.

    python -m bench.busy                             # multi-cloud and naive, beside 0, 2, 4 and 8 busy processes
    python -m bench.busy --cells multi-cloud:0,naive:2 --runs 3
    python -m bench.busy --experiment cut-streams
    python -m bench.busy --results /tmp/busy.jsonl   # rows in another file
    python -m bench.busy --table                     # only print the stored results, as Markdown

A cell is a stack and a number of busy processes, each in a session of its own (the kernel gives all processes of one
session one share of the CPU). It is played with `--runs` seeds, each with `--retry-inconclusive 2`; one run at a time,
because runs would be busy processes for each other. A verdict is wrong if multi-cloud fails or naive passes. What must
hold: no wrong verdict; without busy processes at least 9 of 10 runs decided at once; beside 2 at least half decided,
retries included. Exits 1 if that does not hold for the stored results.

A run takes about 85 s, longer beside busy processes, and up to three times that with its retries: all cells take 2 to 5
hours. Results are appended to `bench/results/busy.jsonl`, one line for a seed; `--again` discards them. The reports of
each run are kept below `--records` (`--keep`: the whole record).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.busy_processes import busy_processes
from bench.cells import Results, Row, in_parallel, play_series, slim
from bench.provenance import CHANGED, commit, machine_class

PASSES: Final = frozenset({"pass"})
FAILS: Final = frozenset({"fail", "metastable", "overloaded"})
DECIDED: Final = PASSES | FAILS
WRONG: Final[Mapping[str, frozenset[str]]] = {"multi-cloud": FAILS, "naive": PASSES}
"""The wrong verdicts of each stack."""

DEFAULT_CELLS: Final = ",".join(f"{stack}:{busy}" for stack in WRONG for busy in (0, 2, 4, 8))
MOST_BUSY: Final = 64
QUIET_SHARE: Final = 0.9
"""Without busy processes, at least this share of the runs must be decided at once."""
BESIDE_TWO_SHARE: Final = 0.5
"""Beside 2 busy processes, at least this share must be decided, retries included."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A stack beside a number of busy processes."""

    stack: str
    busy: int


def cells_of(text: str) -> list[Cell]:
    """The cells of `--cells`: STACK:BUSY, separated by commas. Raises ArgumentTypeError."""
    cells = []
    for word in text.split(","):
        stack, _, busy = word.strip().partition(":")
        if stack not in WRONG or not busy.isdecimal() or int(busy) > MOST_BUSY:
            stacks = " or ".join(WRONG)
            raise argparse.ArgumentTypeError(
                f'"{word}" is no cell: write {stacks}, a colon, and 0 to {MOST_BUSY} busy processes, as in naive:2'
            )
        cells.append(Cell(stack, int(busy)))
    return list(dict.fromkeys(cells))


def number_of(least: int, most: int) -> Callable[[str], int]:
    """Reads an option that is a whole number in this range. It raises ArgumentTypeError."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'"{text}" is no whole number from {least} to {most}')
        return int(text)

    return read


def cell_of(row: Row) -> Cell:
    """The cell of a row."""
    return Cell(row["stack"], row["busy"])


def wrong_plays(row: Row) -> list[Row]:
    """The runs of a row with a wrong verdict."""
    return [play for play in row["plays"] if play["verdict"] in WRONG[row["stack"]]]


def decided_at_once(row: Row) -> bool:
    """Whether the first run was decided."""
    return bool(row["plays"]) and row["plays"][0]["verdict"] in DECIDED


def decided(row: Row) -> bool:
    """Whether a run was decided, retries included."""
    return row["verdict"] in DECIDED


def table(rows: Sequence[Row], cells: Iterable[Cell], wanted: int) -> str:
    """Markdown: one row for each cell that has results. `wanted`: seeds of a full cell."""
    lines = [
        "| stack | busy processes | seeds | verdicts | decided at once | decided with retries | wrong verdicts "
        "| cores used by the busy processes | hours |",
        "|---" * 9 + "|",
    ]
    for cell in cells:
        found = [row for row in rows if cell_of(row) == cell]
        if not found:
            continue
        verdicts = Counter(str(row["verdict"]) for row in found)
        columns = (
            cell.stack,
            str(cell.busy),
            f"{len(found)} of {wanted}",
            ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()),
            _share(sum(map(decided_at_once, found)), len(found)),
            _share(sum(map(decided, found)), len(found)),
            str(sum(bool(wrong_plays(row)) for row in found)),
            f"{sum(row['busy_cores'] for row in found) / len(found):.2f}" if cell.busy else "",
            _hours(found),
        )
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines)


def problems(rows: Sequence[Row], cells: Iterable[Cell]) -> list[str]:
    """What must hold and does not, one sentence each."""
    found = [
        f"Wrong verdict: {row['stack']} beside {row['busy']} busy processes, seed {row['seed']}: {play['verdict']} "
        f"({play['run']})"
        for row in rows
        for play in wrong_plays(row)
    ]
    for cell in cells:
        own = [row for row in rows if cell_of(row) == cell]
        if cell.busy == 0:
            count, share, how = sum(map(decided_at_once, own)), QUIET_SHARE, "at once"
        elif cell.busy == 2:
            count, share, how = sum(map(decided, own)), BESIDE_TWO_SHARE, "with retries"
        else:
            continue
        if own and count < share * len(own):
            found.append(
                f"Too few decided: {cell.stack} beside {cell.busy} busy processes: {count} of {len(own)} {how} "
                f"(at least {share:.0%})"
            )
    return found


def origin(rows: Sequence[Row]) -> list[str]:
    """Where the results come from, one sentence each; warnings if they are not comparable."""
    if not rows:
        return ["No results are stored."]
    commits = list(dict.fromkeys(str(row["commit"]) for row in rows))
    machines = list(dict.fromkeys(str(row["machine"]) for row in rows))
    seeds = sorted({int(row["seed"]) for row in rows})
    runs = sum(len(row["plays"]) for row in rows)
    found = [
        f"Experiment `{rows[0]['experiment']}`, seeds {', '.join(map(str, seeds))}, at most {rows[0]['retries']} "
        f"retries: {runs} runs in {_hours(rows)} hours.",
        f"Code: commit {', '.join(commits)}. Machine: {'; '.join(machines)}.",
    ]
    if len(commits) > 1:
        found.append(f"Warning: the results come from {len(commits)} commits. `--again` discards them.")
    if any(one.endswith(CHANGED) for one in commits):
        found.append(f"Warning: {CHANGED}: files of the checkout differed from the commit.")
    if len(machines) > 1:
        found.append(f"Warning: the results come from {len(machines)} machines.")
    return found


def _share(count: int, of: int) -> str:
    return f"{count} of {of} ({count / of:.0%})"


def _hours(rows: Iterable[Row]) -> str:
    return f"{sum(row['seconds'] for row in rows) / 3600:.2f}"


def play_cell(cell: Cell, seed: int, options: argparse.Namespace) -> Row:
    """One seed of a cell, with its retries. Raises RuntimeError if a busy process ended early."""
    began_s = time.monotonic()
    made_by, machine = commit(), machine_class()
    folder = options.records / f"{Path(options.experiment).stem}-{cell.stack}-{cell.busy}-{seed}"
    words = ("--stack", cell.stack, "--seed", str(seed))
    with busy_processes(cell.busy) as beside:
        played, records = play_series(options.experiment, *words, retries=options.retries, runs=folder)
        busy_cores = beside.cores()
    for record in records:
        if not options.keep:
            slim(record)
    return {
        "experiment": options.experiment,
        "stack": cell.stack,
        "busy": cell.busy,
        "seed": seed,
        "retries": options.retries,
        **played,
        "busy_cores": round(busy_cores, 3),
        "seconds": round(time.monotonic() - began_s, 1),
        "commit": made_by,
        "machine": machine,
    }


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--experiment", default="lose-trainium-pool", help="a name from `brownout list`, or a file")
    made.add_argument("--runs", type=number_of(1, 1000), default=10, help="seeds of each cell")
    made.add_argument("--first-seed", type=number_of(0, 10**6), default=1, help="the others follow it")
    made.add_argument("--cells", type=cells_of, default=DEFAULT_CELLS, help="STACK:BUSY,...")
    made.add_argument("--retries", type=number_of(0, 10), default=2, help="of each run, with --retry-inconclusive")
    made.add_argument("--records", type=Path, default=Path("runs/busy"), help="folder for the records of runs")
    made.add_argument("--results", type=Path, default=None, help="file of the rows (bench/results/busy.jsonl)")
    made.add_argument("--table", action="store_true", help="only print the stored results")
    made.add_argument("--again", action="store_true", help="discard the stored results")
    made.add_argument("--keep", action="store_true", help="keep the whole records")
    return made


def main(argv: list[str]) -> int:
    """Run the missing cells, print the table. Returns the exit code."""
    options = parser().parse_args(argv)
    results = Results(options.results.absolute() if options.results else "busy.jsonl", again=options.again)
    seeds = range(options.first_seed, options.first_seed + options.runs)
    wanted = [(cell, seed) for seed in seeds for cell in options.cells]  # an interrupted bench has some of each cell

    def stored() -> list[Row]:
        own = (options.experiment, options.retries)
        rows = {(cell_of(row), row["seed"]): row for row in results.rows if (row["experiment"], row["retries"]) == own}
        return [rows[key] for key in wanted if key in rows]

    done = {(cell_of(row), row["seed"]) for row in stored()}
    missing = [] if options.table else [key for key in wanted if key not in done]
    for row in in_parallel(missing, 1, lambda key: play_cell(*key, options)):
        if row["verdict"] == "interrupted":
            return 130
        if row["exit"] == 2:
            print(row["output"], file=sys.stderr)
            return 2
        results.keep(row)
        verdicts = ", ".join(play["verdict"] for play in row["plays"]) or row.get("output", "")
        print(row["stack"], f"beside {row['busy']}, seed {row['seed']}: {verdicts}", flush=True)
    rows = stored()
    wrong = problems(rows, options.cells)
    print(table(rows, options.cells, options.runs), "", *origin(rows), *wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
