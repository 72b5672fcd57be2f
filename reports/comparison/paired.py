"""A run compared with its twin: what the faults changed, as one difference per measure, each with its interval.

The twin plays the same sessions (same seed, same ids) without the faults. The bootstrap is paired: a resample draws
sessions by id and takes the calls of each from both runs, so that differences between sessions cancel out. Sessions
that only one run has (of a surge, or of the last second) are drawn like the others and count in that run only. The
interval covers the variation between sessions, not the variation between runs on the same machine (`docs/honesty.md`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from reports.gates.grammar import Gate
from reports.gates.judging import measure
from reports.gates.validity import prove
from reports.history.evidence import Evidence, Scope, gather
from reports.history.statistics import paired, percentile_interval
from reports.measures.catalogue import CATALOGUE
from reports.measures.measurement import Interval, Measurement
from reports.record.reader import read_record
from reports.shared.errors import BrownoutError, RecordError

__all__ = ["COMPARED_MEASURES", "PHASES", "Difference", "difference", "differences", "twin_section"]

PHASES: Final = (None, "baseline", "fault", "recovery")
"""None: the three together."""

COMPARED_MEASURES: Final = (
    "calls",
    "sessions_lost",
    "session_success",
    "slo_attainment",
    "goodput",
    "ttft.p50",
    "ttft.p95",
    "tpot.p95",
    "e2e.p95",
    "retry_amplification",
    "prefill_amplification",
    "wasted_tokens",
    "cost.per_1k_sessions",
    "cost.per_million_tokens",
)
"""Compared in every run, in addition to the measures of the experiment's gates."""

TOLERANCE: Final = 0.01
"""Facts other than counts differ above this share of the larger value."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in one phase: in the run (`here`), in its twin (`there`), and here - there.

    `phase`: None means baseline, fault and recovery. `interval`: 95 %, None for facts. `differs`: for a count, any
    difference; for another fact, a difference above `TOLERANCE`; else an interval that excludes 0. `latency`: a busy
    machine makes it unreliable.
    """

    measure: str
    title: str
    unit: str
    phase: str | None
    here: float
    there: float
    difference: float
    interval: Interval | None
    differs: bool
    latency: bool = False


def twin_section(evidence: Evidence, gates: Iterable[Gate], doubts: Sequence[str] = ()) -> dict[str, Any] | None:
    """The section `twin` of the report; None where the run has no twin. `problem` says why a twin cannot be read.

    `doubts`: why the latencies of the run are unreliable. If the run or the twin has any, no latency `differs`.
    """
    path = evidence.record.path / "twin.json"
    if not path.is_file():
        return None
    section: dict[str, Any] = {
        "path": None,
        "problem": "",
        "doubts": [],
        "sessions": {},
        "calls": {},
        "differences": [],
    }
    try:
        link = json.loads(path.read_bytes())
        section.update(path=str(link["path"]), calls=dict(link["calls"]))
        twin = gather(read_record(_folder(evidence.record.path, section["path"])))
    except (OSError, ValueError, TypeError, KeyError, BrownoutError) as error:
        section["problem"] = f"the twin cannot be read: {error}"
        return section
    here = {session.id for session in evidence.calls.sessions}
    there = {session.id for session in twin.calls.sessions}
    section["sessions"] = {"both": len(here & there), "here": len(here - there), "there": len(there - here)}
    twin_doubts = [f"its twin: {doubt}" for doubt in prove(twin).latency_doubts]
    section["doubts"] = [*doubts, *twin_doubts]
    section["differences"] = [
        {
            **_fields(found),
            "interval": list(found.interval) if found.interval else None,
            "differs": found.differs and not (section["doubts"] and found.latency),
        }
        for found in differences(evidence, twin, gates)
    ]
    return section


def _folder(run: Path, path: str) -> Path:
    folder = run / path
    if not folder.is_dir():
        raise RecordError(f"{folder} does not exist any more")
    return folder


def _fields(found: Difference) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Difference.__slots__ if name != "latency"}


def differences(evidence: Evidence, twin: Evidence, gates: Iterable[Gate] = ()) -> list[Difference]:
    """Every difference that both runs have values for: `COMPARED_MEASURES` first, then the measures of the gates."""
    here, there = _paired(evidence, twin)
    names = dict.fromkeys(COMPARED_MEASURES)
    names.update(dict.fromkeys(gate.name for gate in gates if gate.spec.phased and not gate.spec.about_fault))
    found = [difference(here, there, name, phase) for name in names for phase in PHASES]
    return [one for one in found if one is not None]


def _paired(evidence: Evidence, twin: Evidence) -> tuple[Evidence, Evidence]:
    """Both with a joint resampling. The caches (`kept`) start empty: cached values depend on the resampling."""
    here, there = replace(evidence, cache={}), replace(twin, cache={})
    ids = [session.id for session in here.calls.sessions], [session.id for session in there.calls.sessions]
    here.resampling, there.resampling = paired(*ids, evidence.record.seed)
    return here, there


def difference(here: Evidence, there: Evidence, name: str, phase: str | None) -> Difference | None:
    """One difference of two runs with a joint resampling; None where either run has no value."""
    bare, _, stat = name.partition(".")
    spec = CATALOGUE[bare]
    try:
        ours, theirs = measure(here, bare, Scope(phase), stat), measure(there, bare, Scope(phase), stat)
    except Exception:  # a measure that crashes must not lose the others; the report shows the crash
        return None
    if ours.value is None or theirs.value is None:
        return None
    less = 0.0 if ours.value == theirs.value else ours.value - theirs.value  # also for two infinite values
    interval = _interval(ours, theirs) if spec.kind_of(stat) != "fact" else None
    if interval is not None:
        differs = interval[0] > 0 or interval[1] < 0
    else:
        least = 0.0 if spec.unit_of(stat) == "count" else TOLERANCE * max(abs(ours.value), abs(theirs.value))
        differs = abs(less) > least or math.isinf(less)
    unit = spec.unit_of(stat)
    return Difference(name, spec.title, unit, phase, ours.value, theirs.value, less, interval, differs, spec.latency)


def _interval(ours: Measurement, theirs: Measurement) -> Interval | None:
    if ours.resamples is None or theirs.resamples is None:
        return None
    here, there = ours.resamples(), theirs.resamples()
    equal = here == there
    with np.errstate(invalid="ignore"):
        less = here - there
    less[equal] = 0.0  # also for two infinite values, whose difference is NaN
    low, high = percentile_interval(less)
    return None if math.isinf(low) and math.isinf(high) and low != high else (low, high)
