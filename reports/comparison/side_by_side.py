"""Several runs side by side: gates x runs and measures x runs, from their `report.json`.

    compare([read_report(folder) for folder in folders]) -> a nested dict, the content of comparison.json

A column is named by what distinguishes the runs: the stack, the seed, the experiment, or else the run's folder. Runs
under different conditions (experiment, length, load, objectives, a short form beside a full run) may be shown side by
side, but their measures are not compared: `comparable` is false, and `notes` says why first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from reports.comparison.conditions import conditions_of, mismatches, targets_of, versions_of
from reports.comparison.sides import ComparedRun, Side, contrasts, sides_of
from reports.comparison.single_pair import judge_pair
from reports.comparison.spread import Spread
from reports.report.build import SCHEMA
from reports.shared.errors import UserError
from reports.shared.regular_file import read_regular

__all__ = ["SHOWN", "ComparedRun", "compare", "read_report"]

COMPARISON_SCHEMA: Final = 1

_PARTS: Final = (
    "run", "verdict", "gates", "steady_state", "phases", "faults", "measures", "timeline", "proofs",
)  # fmt: skip
"""The parts of a report that a comparison reads."""

SHOWN: Final = (
    "calls",
    "sessions",
    "sessions_lost",
    "session_success",
    "slo_attainment",
    "goodput",
    "ttft.p50",
    "ttft.p95",
    "tpot.p95",
    "max_gap.max",
    "time_to_detect",
    "time_to_alert",
    "failover.p95",
    "failover.max",
    "time_to_recover",
    "metastable",
    "goodput_lost",
    "blast_radius.failed_sessions",
    "fairness.min",
    "shed",
    "retry_after_honoured",
    "replica_queue.p95",
    "gateway_wait.p95",
    "cold_cache_tail.seconds",
    "knee",
    "retry_amplification",
    "prefill_amplification",
    "wasted_tokens",
    "cost.per_1k_sessions",
    "cost.per_million_tokens",
)
"""The measures shown to people, where a run has them; comparison.json holds all."""


def read_report(folder: Path) -> ComparedRun:
    """Read the report of a run's folder. Raises UserError if it is missing, unreadable or of another version."""
    path = folder / "report.json"
    try:
        report = json.loads(read_regular(path))
    except FileNotFoundError:
        raise UserError(f"{folder}: no report.json. Make it with: brownout report {folder}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read ({error}). Make it again with: brownout report {folder}") from None
    found = report.get("schema") if isinstance(report, dict) else None
    if found != SCHEMA:
        remedy = f"Make it again with: brownout report {folder}"
        raise UserError(f"{path}: report version {found}; this brownout reads version {SCHEMA}. {remedy}")
    missing = [part for part in _PARTS if part not in report]
    if missing:
        raise UserError(f"{path}: part {missing[0]!r} is missing. Make it again with: brownout report {folder}")
    return folder, report


def compare(runs: Sequence[ComparedRun], spreads: Sequence[Spread] = ()) -> dict[str, Any]:
    """Compare two or more runs. Raises UserError for fewer than two, and for a run that is named twice.

    `spreads`: of A/A pairs; a single pair of runs is judged by the one that applies, if any.
    """
    if len(runs) < 2:
        raise UserError("a comparison needs at least two runs: name two or more")
    twice = [str(folder) for folder, n in Counter(folder.resolve() for folder, _ in runs).items() if n > 1]
    if twice:
        raise UserError(f"{twice[0]} is named twice: name each run once")
    reports = [report for _, report in runs]
    refusals = mismatches([conditions_of(report["run"], report["phases"]) for report in reports])
    sides = [] if refusals else sides_of(runs)
    return {
        "schema": COMPARISON_SCHEMA,
        "title": _title(reports),
        "runs": [_run(folder, report, label) for (folder, report), label in zip(runs, _labels(runs), strict=True)],
        "comparable": not refusals,
        "notes": [*(f"measures are not compared: {why}" for why in refusals), *_notes(reports), *_one_side(sides)],
        "gates": _gates(reports, comparable=not refusals),
        "differences": contrasts(sides, partial(judge_pair, spreads=spreads)),
        "measures": _measures(reports),
        "timelines": [_timeline(report) for report in reports],
    }


def _title(reports: Sequence[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(str(report["run"]["name"]) for report in reports))
    titles = {str(report["run"]["title"]) for report in reports}
    return titles.pop() if len(names) == 1 and len(titles) == 1 else " and ".join(names)


def _labels(runs: Sequence[ComparedRun]) -> list[str]:
    """A short label per run: the facts in which the runs differ; the folder's name added where labels are equal."""
    facts = [
        {
            "": target,
            "seed ": str(report["run"]["seed"]),
            "in ": str(report["run"]["name"]),
        }
        for target, (_, report) in zip(targets_of([report["run"] for _, report in runs]), runs, strict=True)
    ]
    varying = [key for key in facts[0] if len({fact[key] for fact in facts}) > 1]
    labels = [" ".join(key + fact[key] for key in varying) or fact[""] for fact in facts]
    counts = Counter(labels)
    return [
        label if counts[label] == 1 else f"{label} ({folder.name})"
        for label, (folder, _) in zip(labels, runs, strict=True)
    ]


def _run(folder: Path, report: dict[str, Any], label: str) -> dict[str, Any]:
    run, verdict = report["run"], report["verdict"]
    return {
        "label": label,
        "folder": folder.name,
        "path": str(folder),
        "experiment": run["name"],
        "stack": run["stack"],
        "url": run["url"],
        "gateway": run.get("gateway"),
        "gateway_program": run.get("gateway_program"),
        "gateway_version": run.get("gateway_version"),
        "seed": run["seed"],
        "profile": run["profile"],
        "started_at": run["started_at"],
        "verdict": verdict["verdict"],
        "exit_code": verdict["exit_code"],
        "why": verdict["why"],
        "doubts": report["proofs"]["doubts"],
    }


def _one_side(sides: Sequence[Side]) -> list[str]:
    if len(sides) != 1:
        return []
    remedy = "keep the runs of each side in a folder of its own"
    return [f"all {len(sides[0].runs)} runs are of {sides[0].label}: there are no two sides to compare; {remedy}"]


def _notes(reports: Sequence[dict[str, Any]]) -> list[str]:
    notes = []
    seeds = list(dict.fromkeys(str(report["run"]["seed"]) for report in reports))
    if len(seeds) > 1:
        notes.append(f"the runs have different seeds: {', '.join(seeds)}")
    for target, versions in versions_of([report["run"] for report in reports]).items():
        if len(versions) > 1:
            notes.append(f"the gateway of {target} has different versions: {', '.join(versions)}")
    doubtful = sum(bool(report["proofs"]["doubts"]) for report in reports)
    if doubtful:
        notes.append(
            f"{doubtful} of {len(reports)} runs may not be valid (a busy machine, a fault that hit nothing, ...)"
        )
    return notes


def _gates(reports: Sequence[dict[str, Any]], *, comparable: bool) -> list[dict[str, Any]]:
    """One row per gate, in order of first appearance; a cell is None where the run has no such gate.

    `differs`: the runs are `comparable`, and their verdicts are not the same.
    """
    by_text = [{gate["text"]: gate for gate in [*report["steady_state"], *report["gates"]]} for report in reports]
    headline = {report["run"].get("headline_gate", report["run"].get("tells")) for report in reports}
    rows = []
    for text in dict.fromkeys(text for gates in by_text for text in gates):
        cells = [gates.get(text) for gates in by_text]
        verdicts = {cell["verdict"] for cell in cells if cell is not None}
        rows.append(
            {
                "text": text,
                "headline": text in headline,
                "tells": text in headline,  # its former name, for programs that read it
                "differs": comparable and len(verdicts) > 1,
                "cells": [None if cell is None else {key: cell[key] for key in _CELL} for cell in cells],
            }
        )
    return rows


_CELL: Final = ("verdict", "value", "unit", "kind", "interval", "relative_to_baseline", "factor", "why")


def _measures(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for report in reports for name in report["measures"])
    rows = []
    for name in names:
        found = [report["measures"].get(name) for report in reports]
        known = next(measure for measure in found if measure is not None)
        phases = dict.fromkeys(phase for measure in found if measure for phase in measure["phases"])
        rows.append(
            {
                "name": name,
                "title": known["title"],
                "unit": known["unit"],
                "run": [None if measure is None else measure["run"]["value"] for measure in found],
                "phases": {
                    phase: [
                        None if measure is None else measure["phases"].get(phase, {}).get("value") for measure in found
                    ]
                    for phase in phases
                },
            }
        )
    return rows


def _timeline(report: dict[str, Any]) -> dict[str, Any]:
    """Calls offered and good per second until the drain, and the [start, end] of each fault, seconds."""
    timeline = report["timeline"]
    faults = [
        [fault["stages"]["injected"], fault["stages"].get("reverted", timeline["seconds"])]
        for fault in report["faults"]
        if "injected" in fault["stages"]
    ]
    drain_s = next((phase["start_s"] for phase in report["phases"] if phase["name"] == "drain"), timeline["seconds"])
    load_s = max(0, int(drain_s))
    return {"offered": timeline["offered"][:load_s], "good": timeline["good"][:load_s], "faults": faults}
