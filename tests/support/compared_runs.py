"""Values of simulated runs, for tests of comparisons between two sides of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from reports.gating.run_values import Cell, RunValues

__all__ = ["compared_run"]

_WELL = {"sessions_lost": 0.0, "goodput": 500.0, "ttft.p95": 0.5, "time_to_recover": 4.0}


def compared_run(seed: int, values: Mapping[str, float | None] | None = None, **changes: Any) -> RunValues:
    """A sound run of 400 calls in 70 sessions. `values`: of measures over the whole run; None: not measured."""
    known = {**_WELL, **(values or {})}
    measures: dict[str, dict[Cell, float]] = {
        name: {"run": value, "fault": value} for name, value in known.items() if value is not None
    }
    run = RunValues(
        seed, f"2026-11-28T00:00:{seed:02}", True, False, {"run": 400.0, "fault": 100.0}, {"run": 70.0}, measures
    )
    return msgspec.structs.replace(run, **changes)
