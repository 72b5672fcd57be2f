"""Catalogue x stacks x seeds: does every experiment fail on naive and pass on multi-cloud? Resumable.

    python -m bench.catalogue                           # every experiment, both stacks, three seeds for checking
    python -m bench.catalogue --experiments cut-streams --stacks multi-cloud,no-migration --seeds 1
    python -m bench.catalogue --jobs 2                         # two runs at a time, if the machine has the cores
    python -m bench.catalogue --replay                         # repeat inconclusive runs (a busy machine)
    python -m bench.catalogue --table                          # only print the stored results
    python -m bench.catalogue --write                          # also write them into docs/catalogue.md

A table is of one commit of the four packages, and of the experiments' present files: other rows stay in the file and
are not shown. Gates and loads were tuned on other seeds (`TUNED_SEEDS`) than those that check them (`CHECK_SEEDS`); an
experiment that did not hold on these was mended, and is checked on others (`LATER_CHECK_SEEDS`). The table says which.

The last run of a cell counts; a note says how many were repeated. A run takes 95 s, all cells 4 hours. Results are
appended to `--results`, one line per run; `--again` discards them. The reports of each run are kept below `--runs`
(`--keep`: the whole record).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.cells import Results, Row, in_parallel, play, slim
from bench.provenance import code_commit, machine_class
from bench.table import write_between
from chaos.cli.listing import LISTS
from chaos.experiment.families import FAMILIES
from reports.shared.wording import value_text

EXPERIMENTS = Path(__file__).parents[1] / "chaos" / "experiments"
PAGE = Path(__file__).parents[1] / "docs" / "catalogue.md"
BEGIN, END = "<!-- made by python -m bench.catalogue --write -->", "<!-- end -->"
INCONCLUSIVE = "inconclusive"
TUNED_SEEDS = frozenset({1, 2, 3, 7, 11, 21})
"""Seeds on which gates and loads were tuned: what holds on them proves nothing."""
CHECK_SEEDS = (101, 102, 103)
"""Seeds that were not played before the gates and loads were final."""
LATER_CHECK_SEEDS = {"reasoning-imbalance": (201, 202, 203)}
"""The seeds of an experiment that was mended after a run on one of `CHECK_SEEDS`."""
Cell = tuple[str, str, int]


def check_seeds(experiment: str) -> tuple[int, ...]:
    """The seeds that were not played before this experiment was final."""
    return LATER_CHECK_SEEDS.get(experiment, CHECK_SEEDS)


def file_hash(experiment: str) -> str:
    """Which content the file of an experiment has: one of the catalogue, or a path."""
    own = EXPERIMENTS / f"{experiment}.yaml"
    return sha256((own if own.is_file() else Path(experiment)).read_bytes()).hexdigest()[:12]


def latest(rows: Iterable[Row]) -> dict[Cell, Row]:
    """The last row of each cell."""
    return {(row["experiment"], row["stack"], row["seed"]): row for row in rows}


def of_commit(rows: Iterable[Row], commit: str, hashes: Callable[[str], str] = file_hash) -> list[Row]:
    """The rows that were played with this commit of the code and the present file of their experiment."""
    return [row for row in rows if row.get("commit") == commit and row.get("file") == hashes(row["experiment"])]


def tuned_seeds(experiment: str) -> frozenset[int]:
    """The seeds on which this experiment was tuned: of a mended one, those too that showed what to mend."""
    return TUNED_SEEDS | frozenset(CHECK_SEEDS if experiment in LATER_CHECK_SEEDS else ())


def provenance(rows: Sequence[Row], stale: int, repeated: int) -> str:
    """Which runs the table is made of: seeds, commit, machine and hours.

    `stale`: rows of another commit or another content of their file. `repeated`: rows that a later row replaced.
    """
    text = f"{len(rows)} runs of commit {', '.join(dict.fromkeys(str(row.get('commit')) for row in rows))}"
    text += f", {sum(row.get('seconds', 0.0) for row in rows) / 3600:.1f} hours, on"
    text += f" {' and '.join(dict.fromkeys(str(row.get('machine')) for row in rows))}."
    fresh = [row for row in rows if row["seed"] in check_seeds(row["experiment"])]
    if first := _seeds(row for row in fresh if row["experiment"] not in LATER_CHECK_SEEDS):
        text += f" Seeds for checking only: {first}."
    for name in sorted({row["experiment"] for row in fresh} & LATER_CHECK_SEEDS.keys()):
        own = _seeds(row for row in fresh if row["experiment"] == name)
        text += f" {name} was mended after a run on one of {', '.join(map(str, CHECK_SEEDS))}; it is checked on {own}."
    tuned = [row for row in rows if row["seed"] in tuned_seeds(row["experiment"])]
    if tuned:
        text += f" Seeds on which gates and loads were tuned: {_seeds(tuned)}."
    if rest := _seeds(row for row in rows if row not in fresh and row not in tuned):
        text += f" Other seeds: {rest}."
    together = sum(row.get("at_a_time", 1) > 1 for row in rows)
    if together:
        text += f" {together} of the runs shared the machine with another run."
    if repeated:
        text += f" Inconclusive runs that were repeated: {repeated}."
    if stale:
        text += f" Rows of another commit or of a changed experiment, which are not shown: {stale}."
    return text


def _seeds(rows: Iterable[Row]) -> str:
    return ", ".join(map(str, sorted({row["seed"] for row in rows})))


def cell_text(rows: Sequence[Row], gate: str) -> str:
    """A cell: the verdicts over the seeds, and the range of the value of `gate` over the seeds."""
    if not rows:
        return ""
    verdicts = Counter(row["verdict"] for row in rows)
    counts = ", ".join(f"{n} {verdict}" for verdict, n in verdicts.most_common())
    results = [row["gates"][gate] for row in rows if gate in row.get("gates", {})]
    known = [result for result in results if result["value"] is not None]
    if not known:
        return f"{counts}: not measured" if results else counts
    ordered = sorted(known, key=lambda one: float("inf") if one["value"] == "never" else float(one["value"]))
    ends = [value_text(one["value"], one["unit"]) for one in (ordered[0], ordered[-1])]
    return f"{counts}: {' to '.join(dict.fromkeys(ends))}"


def table(cells: dict[Cell, Row], experiments: Sequence[dict[str, Any]], stacks: Sequence[str]) -> str:
    """Markdown: one row per experiment, one column per stack."""
    lines = [f"| experiment | headline gate | {' | '.join(stacks)} |", "|---" * (len(stacks) + 2) + "|"]
    for experiment in experiments:
        name, gate = experiment["name"], experiment["headline_gate"]
        found = [[row for (e, s, _), row in cells.items() if (e, s) == (name, stack)] for stack in stacks]
        if any(found):
            texts = [cell_text(rows, gate) for rows in found]
            lines.append(f"| [{name}](#{name}) | `{gate}` | {' | '.join(texts)} |")
    return "\n".join(lines)


def unexpected(cells: dict[Cell, Row]) -> list[str]:
    """Results to check: gates that do not pass on multi-cloud, and experiments that pass on naive."""
    found = []
    for (experiment, stack, seed), row in sorted(cells.items()):
        bad = [text for text, gate in row.get("gates", {}).items() if gate["verdict"] != "pass"]
        if stack == "multi-cloud" and row["verdict"] != "pass":
            found.append(
                f"{experiment} on {stack}, seed {seed}: {row['verdict']}: {'; '.join(bad) or row.get('output')}"
            )
        if stack == "naive" and row["verdict"] == "pass":
            found.append(f"{experiment} on {stack}, seed {seed}: passes")
    return found


def texts(experiments: Sequence[dict[str, Any]]) -> str:
    """Markdown: each experiment with its description, its command and its gates."""
    lines = []
    family = None
    for experiment in experiments:
        if experiment["family"] != family:
            family = experiment["family"]
            lines += [f"## {family}: {FAMILIES.get(family, '')}", ""]
        name = experiment["name"]
        description = (
            experiment["description"].replace("\nLook at:", "\n\nLook at:").replace("\nWhat helps:", "\n\nWhat helps:")
        )
        lines += [f"### {name}", "", f"*{experiment['title']}.*", "", description, ""]
        lines += [f"    brownout run {name} --stack multi-cloud --stack naive", ""]
        gates = ", ".join(f"`{gate}`" for gate in experiment["gates"])
        lines += [f"Gates: {gates}", ""]
    return "\n".join(lines).rstrip()


def main(argv: list[str]) -> int:
    """Run the missing cells, print the table. Returns the exit code."""
    everything = LISTS["experiments"]()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", default=",".join(row["name"] for row in everything))
    parser.add_argument("--stacks", default="multi-cloud,naive")
    parser.add_argument("--seeds", default="", help="of every experiment; without it, the seeds that check each")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/catalogue"))
    parser.add_argument("--results", default="catalogue.jsonl", help="file of the results, in bench/results or a path")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--write", action="store_true", help="write docs/catalogue.md")
    parser.add_argument("--replay", action="store_true", help="repeat inconclusive runs")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    parser.add_argument("--keep", action="store_true", help="keep the whole records")
    options = parser.parse_args(argv)
    results = Results(options.results, again=options.again)
    commit = code_commit()
    if options.table and results.rows:
        commit = str(results.rows[-1].get("commit"))
    done = latest(of_commit(results.rows, commit))
    names, stacks = options.experiments.split(","), options.stacks.split(",")
    seeds = {name: [int(seed) for seed in options.seeds.split(",") if seed] or check_seeds(name) for name in names}
    # Seed by seed, so that a bench that is interrupted has some of each experiment.
    order = range(max(map(len, seeds.values())))
    wanted = [
        (name, stack, seeds[name][n]) for n in order for name in names for stack in stacks if n < len(seeds[name])
    ]
    missing = [
        cell for cell in wanted if cell not in done or (options.replay and done[cell]["verdict"] == INCONCLUSIVE)
    ]

    def one(cell: Cell) -> Row:
        name, stack, seed = cell
        folder = options.runs / f"{Path(name).stem}-{Path(stack).stem}-{seed}"
        began, content = time.monotonic(), file_hash(name)
        row, record = play(name, "--stack", stack, "--seed", str(seed), runs=folder)
        if not options.keep:
            slim(record)
        where = {"commit": commit, "file": content, "machine": machine_class(), "at_a_time": options.jobs}
        seconds = round(time.monotonic() - began, 1)
        return {"experiment": name, "stack": stack, "seed": seed, **where, "seconds": seconds, **row}

    for row in in_parallel([] if options.table else missing, options.jobs, one):
        if row["verdict"] == "interrupted":
            return 130
        results.keep(row)
        print(row["experiment"], row["stack"], row["seed"], row["verdict"], row.get("output", ""), flush=True)
    valid = of_commit(results.rows, commit)
    own = [row for row in valid if (row["experiment"], row["stack"], row["seed"]) in wanted]
    cells = latest(own)
    shown = [experiment for experiment in everything if experiment["name"] in names]
    made = table(cells, shown, stacks)
    note = provenance(list(cells.values()), len(results.rows) - len(valid), len(own) - len(cells))
    found = unexpected(cells)
    print(f"{made}\n\n{note}", *found, sep="\n")
    if options.write:
        write_between(PAGE, BEGIN, END, f"{made}\n\n{note}\n\n{texts(shown)}")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
