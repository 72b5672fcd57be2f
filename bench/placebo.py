"""A phase boundary that means nothing must change nothing: runs without a fault, cut in two. Resumable.

    python -m bench.placebo                    # 300 simulated runs, and 5 runs on the embedded stack (70 s each)
    python -m bench.placebo --live 0           # simulated runs only: about 3 minutes
    python -m bench.placebo --table            # only print the stored results, as Markdown
    python -m bench.placebo --again            # discard the stored results

Each run has one long phase in which nothing happens. A second phase, called `fault`, is made to begin in its middle.
For each measure, the 95 % interval of the second half relative to the first must contain 1: in at least 95 % of the
simulated runs but for chance, whose long calls cross the boundary as those of agents do. Of the runs on the embedded
stack (`lose-tpu-pool` without its fault), no gate may pass in one half and fail in the other, and no more intervals may
exclude 1 than chance allows.

Exits 1 where that does not hold. Results are appended to `bench/results/placebo.jsonl`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from scipy import stats

from bench.cells import Results, Row, play
from bench.honesty import write_quiet
from bench.provenance import commit, machine_class
from bench.synthetic import SOUND, evidence_of, stream_of_sessions
from bench.table import print_table
from reports.gates.grammar import parse_gate
from reports.gates.judging import GateResult, judge
from reports.gates.validity import prove
from reports.history.evidence import Evidence, gather
from reports.record.reader import Record, read_record

MEASURES: Final = (
    "goodput",
    "slo_attainment",
    "ttft.p50",
    "ttft.p95",
    "e2e.p50",
    "e2e.p95",
    "cost.per_1k_sessions",
    "cost.per_million_tokens",
    "retry_amplification",
)
"""Compared between the halves. A measure without a value in a half is left out."""

ALPHA: Final = 0.05
SIMULATED_S: Final = 90.0
RATE: Final = 3.0


def relative(evidence: Evidence, measure: str) -> GateResult:
    """The measure in the second half, relative to the first."""
    return judge(parse_gate(f"{measure} during fault <= 1 x baseline"), evidence, SOUND)


def differing(evidence: Evidence) -> dict[str, bool]:
    """For each measure with a value in both halves, whether its interval excludes 1."""
    found = {measure: relative(evidence, measure).interval for measure in MEASURES}
    return {measure: not ends[0] <= 1 <= ends[1] for measure, ends in found.items() if ends is not None}


def simulated(seed: int) -> Evidence:
    """A simulated run without a fault, cut in its middle."""
    calls = stream_of_sessions(np.random.default_rng([seed, 77]), rate=RATE, seconds=SIMULATED_S)
    boundaries = {"warmup": -90.0, "baseline": 0.0, "fault": SIMULATED_S / 2, "recovery": SIMULATED_S}
    return evidence_of(**calls, boundaries={**boundaries, "end": SIMULATED_S + 60}, seed=seed)


def cut_in_two(record: Record) -> Evidence:
    """The evidence of a record without a fault, with a second phase from the middle of its baseline on."""
    phases = []
    for phase in record.phases:
        if phase.name == "baseline":
            middle = (phase.start_s + phase.end_s) / 2
            phases += [replace(phase, end_s=middle), replace(phase, name="fault", start_s=middle)]
        else:
            phases.append(phase)
    record.phases = phases
    return gather(record)


def contradictions(evidence: Evidence, gates: Sequence[str]) -> list[str]:
    """The gates that pass in one half and fail in the other."""
    proofs = prove(evidence)
    found = []
    for text in gates:
        gate = parse_gate(text)
        if gate.spec.phased and not gate.relative_to_baseline:
            halves = {judge(replace(gate, phase=phase), evidence, proofs).verdict for phase in ("baseline", "fault")}
            if halves == {"pass", "fail"}:
                found.append(text)
    return found


def live_rows(results: Results, runs: int, folder: Path) -> Iterator[Row]:
    """Play the missing runs on the embedded stack, and compare their halves."""
    done = {row["seed"] for row in results.rows if row["kind"] == "live"}
    for seed in range(1, runs + 1):
        if seed not in done:
            played, record = play(str(write_quiet(folder)), "--seed", str(seed), runs=folder / f"seed-{seed}")
            if record is None or played["verdict"] == "interrupted":
                print(f"seed {seed}: {played.get('output', played['verdict'])}", file=sys.stderr)
                continue
            evidence = cut_in_two(read_record(record))
            yield {
                "kind": "live",
                "seed": seed,
                "differ": differing(evidence),
                "contradictions": contradictions(evidence, list(played["gates"])),
                "doubts": played["doubts"],
            }


def simulated_rows(results: Results, runs: int) -> Iterator[Row]:
    """Simulate the missing runs."""
    done = {row["seed"] for row in results.rows if row["kind"] == "simulated"}
    for seed in range(1, runs + 1):
        if seed not in done:
            yield {"kind": "simulated", "seed": seed, "differ": differing(simulated(seed)), "contradictions": []}


def too_many(differ: int, compared: int) -> bool:
    """Whether more intervals exclude 1 than chance allows (one-sided 1 %)."""
    return compared > 0 and float(stats.binom.sf(differ - 1, compared, ALPHA)) < 0.01


def table(rows: Sequence[Row]) -> tuple[list[list[str]], list[str]]:
    """The rows of the table, and what is wrong."""
    lines, wrong = [], []
    for measure in MEASURES:
        line = [f"`{measure}`"]
        for kind in ("simulated", "live"):
            found = [row["differ"][measure] for row in rows if row["kind"] == kind and measure in row["differ"]]
            line.append(f"{sum(found)} of {len(found)}" if found else "")
            if kind == "simulated" and too_many(sum(found), len(found)):
                wrong.append(f"{measure}: {sum(found)} of {len(found)} simulated runs differ")
        lines.append(line)
    live = [one for row in rows if row["kind"] == "live" for one in row["differ"].values()]
    if too_many(sum(live), len(live)):
        wrong.append(f"{sum(live)} of {len(live)} intervals of live runs exclude 1")
    wrong += [f"seed {row['seed']}: {text} passes in one half only" for row in rows for text in row["contradictions"]]
    return lines, wrong


def main(argv: Sequence[str]) -> int:
    """Compare the missing runs, print the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulated", type=int, default=300, help="simulated runs")
    parser.add_argument("--live", type=int, default=5, help="runs on the embedded stack")
    parser.add_argument("--runs", type=Path, default=Path("runs/placebo"))
    parser.add_argument("--results", default="placebo.jsonl", help="file of the results")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    options = parser.parse_args(argv)
    results = Results(options.results, again=options.again)
    where = {"commit": commit(), "machine": machine_class()}
    if not options.table:
        missing = (simulated_rows(results, options.simulated), live_rows(results, options.live, options.runs))
        for made in missing:
            began = time.monotonic()
            for row in made:
                results.keep({**row, **where, "seconds": round(time.monotonic() - began, 2)})
                began = time.monotonic()
    rows = [r for r in results.rows if r["seed"] <= (options.simulated if r["kind"] == "simulated" else options.live)]
    lines, wrong = table(rows)
    print_table(("measure", "simulated runs that differ", "live runs that differ"), lines)
    commits = ", ".join(dict.fromkeys(str(row["commit"]) for row in rows))
    print(f"\n{len(rows)} runs, {sum(row['seconds'] for row in rows) / 60:.1f} minutes, commit {commits}.")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
