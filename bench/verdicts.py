"""Experiments x stacks x seeds: does each gate bite? Resumable: what was played is kept and not played again.

    python -m bench.verdicts                                  # lose-tpu-pool and cut-streams, 3 stacks, seeds 1..5
    python -m bench.verdicts --experiments slow-pool --stacks multi-cloud --seeds 1
    python -m bench.verdicts --table                          # only print what is there
    python -m bench.verdicts --replay                         # inconclusive ones again: a busy machine decides nothing

The last play of a cell counts; the table says how many were played again. A run takes about 85 s. Results go to
`bench/results/verdicts.jsonl`, a line a run; `--again` plays all anew.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results") / "verdicts.jsonl"
VERDICTS = {0: "pass", 1: "fail", 3: "inconclusive", 4: "guardrail", 5: "broken"}
RUN_WITHIN_S = 300
INCONCLUSIVE = 3


def played(path: Path) -> list[dict[str, Any]]:
    """The results kept so far; a torn last line is dropped."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def play(experiment: str, stack: str, seed: int, runs: Path) -> dict[str, Any]:
    """Play one experiment; answers its row. What the report names as reason goes with it."""
    before = set(runs.glob("*/report.json"))
    command = [sys.executable, "-m", "chaos.cli", "run", experiment, "--stack", stack, "--seed", str(seed)]
    done = subprocess.run(
        [*command, "--runs", str(runs), "--quiet"], capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False
    )
    row: dict[str, Any] = {"experiment": experiment, "stack": stack, "seed": seed, "exit": done.returncode}
    new = sorted(set(runs.glob("*/report.json")) - before)
    if new:
        report = json.loads(new[-1].read_text())
        row["gates"] = {gate["text"]: gate["verdict"] for gate in report["gates"]}
        row["run"] = new[-1].parent.name
    else:
        row["said"] = (done.stdout + done.stderr)[-400:]
    return row


def table(rows: Iterable[dict[str, Any]]) -> str:
    """Markdown: verdicts by experiment and stack, and the gates that failed with how often."""
    cells: dict[tuple[str, str, int], dict[str, Any]] = {}
    plays: Counter[tuple[str, str]] = Counter()
    for row in rows:
        cells[row["experiment"], row["stack"], row["seed"]] = row
        plays[row["experiment"], row["stack"]] += 1
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in cells.values():
        groups.setdefault((row["experiment"], row["stack"]), []).append(row)
    lines = [
        "| experiment | stack | seeds | pass | fail | inconclusive | other | played again | gates that did not pass |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (experiment, stack), group in sorted(groups.items()):
        verdicts = Counter(VERDICTS.get(row["exit"], str(row["exit"])) for row in group)
        other = ", ".join(f"{n} {name}" for name, n in verdicts.items() if name not in ("pass", "fail", "inconclusive"))
        gates = Counter(
            f"`{text}`" + ("" if verdict == "fail" else f" ({verdict})")
            for row in group
            for text, verdict in row.get("gates", {}).items()
            if verdict != "pass"
        )
        why = "; ".join(f"{text} x{n}" for text, n in gates.most_common())
        counts = (verdicts["pass"], verdicts["fail"], verdicts["inconclusive"])
        again = plays[experiment, stack] - len(group)
        line = (experiment, stack, len(group), *counts, other, again, why)
        lines.append("| " + " | ".join(map(str, line)) + " |")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Play what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", default="lose-tpu-pool,cut-streams")
    parser.add_argument("--stacks", default="multi-cloud,no-migration,naive")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--runs", type=Path, default=Path("runs/bench"))
    parser.add_argument("--table", action="store_true", help="only print")
    parser.add_argument("--replay", action="store_true", help="play inconclusive ones again")
    parser.add_argument("--again", action="store_true", help="forget what was played")
    options = parser.parse_args(argv)
    # A run under way is ended with us; its shepherd sees to the rest.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.again:
        RESULTS.unlink(missing_ok=True)
    rows = played(RESULTS)
    done = {(row["experiment"], row["stack"], row["seed"]): row["exit"] for row in rows}
    wanted = [
        (experiment, stack, int(seed))
        for seed in options.seeds.split(",")
        for experiment in options.experiments.split(",")
        for stack in options.stacks.split(",")
    ]
    missing = [cell for cell in wanted if cell not in done or (options.replay and done[cell] == INCONCLUSIVE)]
    for cell in [] if options.table else missing:
        row = play(*cell, options.runs)
        rows.append(row)
        RESULTS.parent.mkdir(exist_ok=True)
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(*cell, VERDICTS.get(row["exit"], row["exit"]), row.get("said", ""), flush=True)
    print(table(row for row in rows if (row["experiment"], row["stack"], row["seed"]) in set(wanted)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
