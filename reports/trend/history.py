"""The content of history.json: series of runs, the values of their measures, and the change points. `docs/history.md`.

history(folders) -> a nested dict, in which infinite numbers are "never" and "-never", as in report.json
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from reports.trend.change_points import LEVEL, MOST_RUNS, ChangePoint, change_points, runs_needed
from reports.trend.direction import judged_change
from reports.trend.grouping import Series, series_of
from reports.trend.lines import Line, check_names, left_out, lines_of
from reports.trend.reading import Skipped, TrendRun, read_runs

__all__ = ["HISTORY_SCHEMA", "history", "history_of"]

HISTORY_SCHEMA: Final = 1


def history(folders: Sequence[Path], *, measures: Sequence[str] = ()) -> dict[str, Any]:
    """Read all runs below these folders. `measures`: names of those to show, instead of the usual ones.

    Raises UserError for a folder without a run that can be read, and for a measure that no run has.
    """
    runs, skipped = read_runs(folders)
    return history_of(runs, skipped, folders, measures=measures)


def history_of(
    runs: Sequence[TrendRun],
    skipped: Sequence[Skipped] = (),
    folders: Sequence[Path] = (),
    *,
    measures: Sequence[str] = (),
) -> dict[str, Any]:
    """The history of these runs."""
    check_names(runs, measures)
    return {
        "schema": HISTORY_SCHEMA,
        "folders": [str(folder) for folder in folders],
        "runs": len(runs),
        "skipped": [{"path": str(one.path), "why": one.why} for one in skipped],
        "level": LEVEL,
        "series": [_series(one, measures) for one in series_of(runs)],
    }


def _series(series: Series, measures: Sequence[str]) -> dict[str, Any]:
    lines = lines_of(series, measures)
    changes = change_points(lines)
    counted = sum(not left_out(run, latency=False) for run in series.runs)
    return {
        "label": series.label,
        "experiment": series.experiment,
        "title": series.title,
        "target": series.target,
        "twin": series.twin,
        "machine": series.machine,
        "apart": series.apart,
        "tested": counted >= runs_needed(len(lines)),
        "notes": _notes(series, lines),
        "changes": [_change(one, lines[one.line], series, changes) for one in changes],
        "runs": [_run(run) for run in series.runs],
        "lines": [_line(line, [one for one in changes if one.line == place]) for place, line in enumerate(lines)],
    }


def _notes(series: Series, lines: Sequence[Line]) -> list[str]:
    notes = []
    reasons = [left_out(run, latency=False) for run in series.runs]
    for why in dict.fromkeys(filter(None, reasons)):
        n = reasons.count(why)
        notes.append(f"{n} of {len(reasons)} runs do not count for changes: {why}")
    late = sum(bool(left_out(run, latency=True)) for run in series.runs) - sum(map(bool, reasons))
    if late:
        notes.append(f"{late} of {len(reasons)} runs do not count for changes of latencies: the machine was too busy")
    counted, needed = len(reasons) - sum(map(bool, reasons)), runs_needed(len(lines))
    if counted < needed:
        count = f"{counted} run counts" if counted == 1 else f"{counted} runs count"
        notes.append(
            f"{count}, too few to tell a change from chance: with {len(lines)} measures, a change can be found from "
            f"{needed} runs on"
        )
    if len(reasons) > MOST_RUNS:
        notes.append(f"changes are looked for in the newest {MOST_RUNS} of {len(reasons)} runs")
    return notes


def _run(run: TrendRun) -> dict[str, Any]:
    return {
        "folder": str(run.folder),
        "started_at": run.started_at,
        "seed": run.run.get("seed"),
        "verdict": run.verdict,
        "exit_code": run.exit_code,
        "why": list(run.why),
        "doubts": list(run.doubts),
        "machine_doubts": list(run.machine_doubts),
        "severe_doubts": list(run.severe_doubts),
        "fault_doubts": list(run.fault_doubts),
        "counts": not left_out(run, latency=False),
        "gates": {gate.text: gate.verdict for gate in run.gates},
        "gateway_version": str(run.run.get("gateway_version") or ""),
        "brownout_version": run.version,
        "command": str(run.run.get("command") or ""),
    }


def _line(line: Line, changes: Sequence[ChangePoint]) -> dict[str, Any]:
    return {
        "name": line.name,
        "measure": line.measure,
        "title": line.title,
        "unit": line.unit,
        "phase": line.phase,
        "detail": line.detail,
        "better": line.better,
        "gate": line.bound,
        "limit": _plain(line.limit),
        "values": [_plain(value) for value in line.values],
        "counts": list(line.counts),
        "changes": [one.run for one in changes],
    }


def _change(change: ChangePoint, line: Line, series: Series, every: Sequence[ChangePoint]) -> dict[str, Any]:
    first = series.runs[change.run]
    later = [one.run for one in every if one.line == change.line and one.run > change.run]
    earlier = series.runs[change.run - 1]
    return {
        "name": line.name,
        "measure": line.measure,
        "title": line.title,
        "unit": line.unit,
        "phase": line.phase,
        "direction": judged_change(line.better, change.before, change.after),
        "before": _plain(change.before),
        "after": _plain(change.after),
        "runs_before": change.runs_before,
        "runs_after": change.runs_after,
        "p": change.p,
        "run": change.run,
        "line": change.line,
        "folder": str(first.folder),
        "started_at": first.started_at,
        "until": series.runs[min(later)].started_at if later else None,
        "versions": _versions(earlier, first),
    }


def _versions(earlier: TrendRun, first: TrendRun) -> dict[str, list[str]]:
    """The versions that are recorded and differ: by what they are of, that of the run before and of the first after."""
    found: Mapping[str, tuple[str, str]] = {
        "gateway": (str(earlier.run.get("gateway_version") or ""), str(first.run.get("gateway_version") or "")),
        "brownout": (earlier.version, first.version),
    }
    return {name: list(pair) for name, pair in found.items() if pair[0] != pair[1] and all(pair)}


def _plain(value: float | None) -> float | str | None:
    if value is None or math.isnan(value):
        return None
    return value if math.isfinite(value) else "never" if value > 0 else "-never"
