"""Folders of made-up runs with planted changes, for the tests of histories."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from reports.report.build import SCHEMA
from reports.trend.reading import Skipped, TrendRun, read_run
from tests.support.compared_reports import compared_report

__all__ = ["gate", "read_back", "report_of", "write_history", "write_run"]

_BEGIN = datetime(2026, 10, 1, 4, 30, tzinfo=UTC)

Values = Mapping[str, float | None]


def gate(text: str, measure: str, value: float | None, verdict: str = "pass", **other: Any) -> dict[str, Any]:
    """A gate of a report."""
    return {
        "text": text, "measure": measure, "title": measure, "unit": "s", "verdict": verdict, "op": "<=", "bound": 1.0,
        "phase": None, "where": None, "value": value, "factor": None, "relative_to_baseline": False, **other,
    }  # fmt: skip


def report_of(
    values: Values,
    *,
    day: float = 0.0,
    verdict: str = "pass",
    gates: Sequence[Mapping[str, Any]] = (),
    machine_doubts: Sequence[str] = (),
    severe_doubts: Sequence[str] = (),
    **run: Any,
) -> dict[str, Any]:
    """A report with what a history reads. `day`: days since the first run. `run`: fields of its part `run`."""
    started = (_BEGIN + timedelta(days=day)).isoformat(timespec="milliseconds")
    report = compared_report(values, started_at=started, **run)[1]
    report["schema"] = SCHEMA
    report["verdict"] = {"verdict": verdict, "exit_code": {"pass": 0, "fail": 1}.get(verdict, 3), "why": [verdict]}
    report["gates"] = list(gates)
    report["faults"] = []
    doubts = [*machine_doubts, *severe_doubts]
    report["proofs"] = {"doubts": doubts, "machine_doubts": doubts, "severe_doubts": list(severe_doubts)}
    return report


def write_run(folder: Path, report: Mapping[str, Any]) -> Path:
    """Write the report of a run. Returns its folder."""
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def read_back(folder: Path, report: Mapping[str, Any]) -> TrendRun:
    """Write the report of a run and read it as a history does."""
    found = read_run(write_run(folder, report) / "report.json")
    assert not isinstance(found, Skipped), found.why
    return found


def write_history(folder: Path, runs: int, change: Callable[[int], Values], *, seed: int = 1, **run: Any) -> list[Path]:
    """Runs of one experiment, one a day. `change`: by the number of the run, factors on the usual values."""
    draws = np.random.default_rng(seed)
    usual = {
        "sessions_lost": 0.0, "slo_attainment": 0.97, "goodput": 1800.0, "ttft.p95": 0.42, "tpot.p95": 0.03,
        "failover.p95": 1.4, "time_to_recover": 3.0, "cost.per_1k_sessions": 9.2,
    }  # fmt: skip
    found = []
    for number in range(runs):
        factors = change(number)
        values: dict[str, float | None] = {}
        for name, value in usual.items():
            spread = 0.005 if name == "slo_attainment" else 0.05
            factor = factors.get(name, 1.0)
            noisy = value * float(np.exp(draws.normal(0, spread))) * factor if factor is not None else None
            values[name] = min(1.0, noisy) if name == "slo_attainment" and noisy is not None else noisy
        lost = float(draws.poisson(factors.get("lost", 0.1) or 0.0))
        values["sessions_lost"] = lost
        gates = [
            gate("sessions_lost <= 2", "sessions_lost", lost, "pass" if lost <= 2 else "fail", unit="count"),
            gate("ttft.p95 during fault <= 2 s", "ttft.p95", values["ttft.p95"], phase="fault"),
        ]
        given = report_of(
            values, day=number, verdict="pass" if lost <= 2 else "fail", gates=gates, seed=number % 5 + 1, **run
        )
        found.append(write_run(folder / f"run-{number:03}", given))
    return found
