"""Reports with only the parts that comparisons read, for tests of many simulated runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.measures.catalogue import CATALOGUE
from reports.shared.phases import GATE_PHASES

__all__ = ["PHASE_S", "compared_report"]

PHASE_S = {"baseline": 20.0, "fault": 15.0, "recovery": 15.0}


def compared_report(
    values: Mapping[str, float | None],
    *,
    seed: int = 1,
    stack: str = "well",
    doubts: tuple[str, ...] = (),
    phases_s: Mapping[str, float] = PHASE_S,
    folder: Path = Path("runs/a"),
    **run: Any,
) -> tuple[Path, dict[str, Any]]:
    """A run with these values of measures, the same in every phase. `run`: other fields of its part `run`."""
    ends = dict(zip(phases_s, _ends(phases_s), strict=True))
    return folder, {
        "run": {
            "name": "lose-tpu-pool",
            "title": "Losing a pool",
            "short_form": False,
            "twin_of": None,
            "machine": "2 cores, 8 GB",
            "started_at": f"2026-01-01T00:00:{seed % 60:02}",
            "stack": stack,
            "url": None,
            "profile": "coding-agent",
            "trace": None,
            "seed": seed,
            "slo": {"ttft": 2.0},
            **run,
        },
        "phases": [
            {"name": name, "start_s": ends[name] - lasts, "end_s": ends[name], "finished": True}
            for name, lasts in phases_s.items()
        ],
        "gates": [],
        "steady_state": [],
        "faults": [],
        "carrying": None,
        "proofs": {
            "doubts": list(doubts),
            "machine_doubts": [],
            "severe_doubts": [],
            "loadgen": {"arrivals": 70},
        },
        "measures": {name: _measure(name, value) for name, value in values.items()},
    }


def _ends(phases_s: Mapping[str, float]) -> list[float]:
    ends, at = [], 0.0
    for lasts in phases_s.values():
        at += lasts
        ends.append(at)
    return ends


def _measure(name: str, value: float | None) -> dict[str, Any]:
    bare, _, stat = name.partition(".")
    spec = CATALOGUE[bare]
    cell = {"value": value}
    return {
        "title": spec.title,
        "kind": spec.kind_of(stat),
        "unit": spec.unit_of(stat),
        "run": cell,
        "phases": dict.fromkeys(GATE_PHASES, cell),
    }
