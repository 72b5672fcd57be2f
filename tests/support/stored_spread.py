"""A spread that applies to a given run, as if A/A pairs of it had been played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.comparison.chance import Scale
from reports.comparison.conditions import conditions_of
from reports.comparison.spread import Spread
from reports.measures.catalogue import CATALOGUE

__all__ = ["MACHINE", "spread_for"]

MACHINE = {"cores": 2, "memory_bytes": 8 * 2**30}
"""The event `machine` of a record."""


def spread_for(report: Mapping[str, Any], sd: float = 0.02, pairs: int = 10) -> Spread:
    """Each measure has the standard deviation `sd` in each phase, on each scale that its unit can have."""
    measures = {}
    for name in report["measures"]:
        bare, _, stat = name.partition(".")
        scales: tuple[Scale, ...] = ("root",) if CATALOGUE[bare].unit_of(stat) == "count" else ("log", "linear")
        phases = ("run", "baseline", "fault", "recovery")
        measures[name] = {phase: dict.fromkeys(scales, sd) for phase in phases}
    return Spread(
        conditions=conditions_of(report["run"], report["phases"]),
        machine="2 cores, 8 GB",
        commit="abc1234",
        pairs=pairs,
        seeds=list(range(pairs)),
        measures=measures,
    )
