"""Catalogue x stacks x seeds: does each gate bite? Resumable: what was played is kept and not played again.

    python -m bench.catalogue                                  # every experiment, naive and multi-cloud, seeds 1 2 3
    python -m bench.catalogue --experiments cut-streams --stacks multi-cloud,no-migration --seeds 1
    python -m bench.catalogue --jobs 2                         # two runs at a time, where the machine has the cores
    python -m bench.catalogue --replay                         # inconclusive ones again: a busy machine says nothing
    python -m bench.catalogue --table                          # only print what is there
    python -m bench.catalogue --write                          # and write it into docs/catalogue.md

The last play of a cell counts; the notes say how many were played again. A run takes about 85 s. Results go to
`bench/results/catalogue.jsonl`, a line a run; `--again` plays all anew. Of each record the reports are kept (`--keep`:
all of it), below `--runs`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.cells import Results, Row, play, played_side_by_side, slim
from chaos.cli.listing import LISTS
from chaos.experiment.families import FAMILIES
from reports.shared.wording import value_text

PAGE = Path(__file__).parents[1] / "docs" / "catalogue.md"
BEGIN, END = "<!-- made by python -m bench.catalogue --write -->", "<!-- end -->"
INCONCLUSIVE = "inconclusive"
Cell = tuple[str, str, int]


def latest(rows: Iterable[Row]) -> dict[Cell, Row]:
    """The last play of each cell."""
    return {(row["experiment"], row["stack"], row["seed"]): row for row in rows}


def cell_text(rows: Sequence[Row], tells: str) -> str:
    """A cell: how many seeds ended how, and the number that tells, with its range over the seeds."""
    if not rows:
        return ""
    verdicts = Counter(row["verdict"] for row in rows)
    said = ", ".join(f"{n} {verdict}" for verdict, n in verdicts.most_common())
    numbers = [row["gates"][tells] for row in rows if tells in row.get("gates", {})]
    known = [gate for gate in numbers if gate["value"] is not None]
    if not known:
        return f"{said}: not measured" if numbers else said
    ordered = sorted(known, key=lambda gate: float("inf") if gate["value"] == "never" else float(gate["value"]))
    ends = [value_text(gate["value"], gate["unit"]) for gate in (ordered[0], ordered[-1])]
    return f"{said}: {' to '.join(dict.fromkeys(ends))}"


def table(cells: dict[Cell, Row], experiments: Sequence[dict[str, Any]], stacks: Sequence[str]) -> str:
    """Markdown: a row an experiment, a column a stack."""
    lines = [f"| experiment | the number that tells | {' | '.join(stacks)} |", "|---" * (len(stacks) + 2) + "|"]
    for experiment in experiments:
        name, tells = experiment["name"], experiment["headline_gate"]
        found = [[row for (e, s, _), row in cells.items() if (e, s) == (name, stack)] for stack in stacks]
        if any(found):
            texts = [cell_text(rows, tells) for rows in found]
            lines.append(f"| [{name}](#{name}) | `{tells}` | {' | '.join(texts)} |")
    return "\n".join(lines)


def unbitten(cells: dict[Cell, Row]) -> list[str]:
    """What needs a look: gates that fail or are undecided on multi-cloud, and experiments that pass on naive."""
    said = []
    for (experiment, stack, seed), row in sorted(cells.items()):
        bad = [text for text, gate in row.get("gates", {}).items() if gate["verdict"] != "pass"]
        if stack == "multi-cloud" and row["verdict"] != "pass":
            said.append(f"{experiment} on {stack}, seed {seed}: {row['verdict']}: {'; '.join(bad) or row.get('said')}")
        if stack == "naive" and row["verdict"] == "pass":
            said.append(f"{experiment} on {stack}, seed {seed}: passes")
    return said


def texts(experiments: Sequence[dict[str, Any]]) -> str:
    """Each experiment, told: what happens, its gates, how to play it."""
    lines = []
    family = None
    for experiment in experiments:
        if experiment["family"] != family:
            family = experiment["family"]
            lines += [f"## {family}: {FAMILIES.get(family, '')}", ""]
        name = experiment["name"]
        said = (
            experiment["description"].replace("\nLook at:", "\n\nLook at:").replace("\nWhat helps:", "\n\nWhat helps:")
        )
        lines += [f"### {name}", "", f"*{experiment['title']}.*", "", said, ""]
        lines += [f"    brownout run {name} --stack multi-cloud --stack naive", ""]
        gates = ", ".join(f"`{gate}`" for gate in experiment["gates"])
        lines += [f"Gates: {gates}", ""]
    return "\n".join(lines).rstrip()


def write(page: Path, made: str) -> None:
    """Put what was made between the marks of the page."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}")


def main(argv: list[str]) -> int:
    """Play what is missing, print the table."""
    everything = LISTS["experiments"]()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", default=",".join(row["name"] for row in everything))
    parser.add_argument("--stacks", default="multi-cloud,naive")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/catalogue"))
    parser.add_argument("--table", action="store_true", help="only print")
    parser.add_argument("--write", action="store_true", help="write docs/catalogue.md")
    parser.add_argument("--replay", action="store_true", help="play inconclusive ones again")
    parser.add_argument("--again", action="store_true", help="forget what was played")
    parser.add_argument("--keep", action="store_true", help="keep the records whole")
    options = parser.parse_args(argv)
    results = Results("catalogue.jsonl", again=options.again)
    done = latest(results.rows)
    names, stacks = options.experiments.split(","), options.stacks.split(",")
    wanted = [(name, stack, int(seed)) for seed in options.seeds.split(",") for name in names for stack in stacks]
    missing = [
        cell for cell in wanted if cell not in done or (options.replay and done[cell]["verdict"] == INCONCLUSIVE)
    ]

    def one(cell: Cell) -> Row:
        name, stack, seed = cell
        folder = options.runs / f"{Path(name).stem}-{Path(stack).stem}-{seed}"
        row, record = play(name, "--stack", stack, "--seed", str(seed), runs=folder)
        if not options.keep:
            slim(record)
        return {"experiment": name, "stack": stack, "seed": seed, **row}

    for row in played_side_by_side([] if options.table else missing, options.jobs, one):
        if row["verdict"] == "interrupted":
            return 130
        results.keep(row)
        print(row["experiment"], row["stack"], row["seed"], row["verdict"], row.get("said", ""), flush=True)
    cells = {cell: row for cell, row in latest(results.rows).items() if cell in set(wanted)}
    shown = [experiment for experiment in everything if experiment["name"] in names]
    again = len([row for row in results.rows if (row["experiment"], row["stack"], row["seed"]) in cells]) - len(cells)
    made = table(cells, shown, stacks)
    note = f"{len(cells)} runs, seeds {options.seeds}; {again} were played again, inconclusive before."
    print(f"{made}\n\n{note}", *unbitten(cells), sep="\n")
    if options.write:
        write(PAGE, f"{made}\n\n{note}\n\n{texts(shown)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
