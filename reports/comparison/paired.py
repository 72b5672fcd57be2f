"""A run beside its twin: what the faults changed, measure by measure, each difference with its interval.

The twin plays the same sessions (same seed, same ids) without the faults. The bootstrap is paired: a resample draws
sessions by id and takes what each did in both runs, so that what a session is like cancels out. Sessions of one run
alone (a surge's, or of its last second) are drawn with the rest and count in that run alone. The interval is of what
other sessions would have given; what another run on the same machine would have given, it cannot know
(`docs/honesty.md`).
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

__all__ = ["DIFFERENCES", "PHASES", "Difference", "beside", "difference", "twin_section"]

PHASES: Final = (None, "baseline", "fault", "recovery")
"""None: the three of them together."""

DIFFERENCES: Final = (
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
"""What is compared beside the measures of the experiment's gates."""


TOLERANCE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in one phase: in the run, in its twin, and the former less the latter.

    `latency`: a busy machine spoils it. `interval`: 95 %, None for facts. `differs`: a count that is another, a fact of
    another kind that is another by more than `TOLERANCE` of the greater, an interval without 0.
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
    """The report's `twin`; None where the run has none. One that cannot be read is said in `problem`.

    `doubts`: why the run's latencies carry no verdict. Where there are any, or the twin has some, no latency differs.
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
        told = json.loads(path.read_bytes())
        section.update(path=str(told["path"]), calls=dict(told["calls"]))
        twin = gather(read_record(_folder(evidence.record.path, section["path"])))
    except (OSError, ValueError, TypeError, KeyError, BrownoutError) as error:
        section["problem"] = f"the twin cannot be read: {error}"
        return section
    here = {session.id for session in evidence.calls.sessions}
    there = {session.id for session in twin.calls.sessions}
    section["sessions"] = {"both": len(here & there), "here": len(here - there), "there": len(there - here)}
    theirs = [f"its twin: {doubt}" for doubt in prove(twin).latency_doubts]
    section["doubts"] = [*doubts, *theirs]
    section["differences"] = [
        {
            **_plain(found),
            "interval": list(found.interval) if found.interval else None,
            "differs": found.differs and not (section["doubts"] and found.latency),
        }
        for found in beside(evidence, twin, gates)
    ]
    return section


def _folder(run: Path, path: str) -> Path:
    folder = run / path
    if not folder.is_dir():
        raise RecordError(f"{folder} is not there any more")
    return folder


def _plain(found: Difference) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Difference.__slots__ if name != "latency"}


def beside(evidence: Evidence, twin: Evidence, gates: Iterable[Gate] = ()) -> list[Difference]:
    """Every difference that can be told, in the order of `DIFFERENCES`, then of the gates."""
    here, there = _paired(evidence, twin)
    names = dict.fromkeys(DIFFERENCES)
    names.update(dict.fromkeys(gate.name for gate in gates if gate.spec.phased and not gate.spec.about_fault))
    found = [difference(here, there, name, phase) for name in names for phase in PHASES]
    return [one for one in found if one is not None]


def _paired(evidence: Evidence, twin: Evidence) -> tuple[Evidence, Evidence]:
    """Both, resampled together; what was kept of them depends on the former resampling."""
    here, there = replace(evidence, kept={}), replace(twin, kept={})
    ids = [session.id for session in here.calls.sessions], [session.id for session in there.calls.sessions]
    here.resampling, there.resampling = paired(*ids, evidence.record.seed)
    return here, there


def difference(here: Evidence, there: Evidence, name: str, phase: str | None) -> Difference | None:
    """One difference of two runs that are resampled together; None where either has no such number."""
    bare, _, stat = name.partition(".")
    spec = CATALOGUE[bare]
    try:
        ours, theirs = measure(here, bare, Scope(phase), stat), measure(there, bare, Scope(phase), stat)
    except Exception:  # one broken measure must not cost the others; the report says of it that it crashed
        return None
    if ours.value is None or theirs.value is None:
        return None
    less = 0.0 if ours.value == theirs.value else ours.value - theirs.value  # two that never came do not differ
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
    less[equal] = 0.0  # also of two that never came, where infinite less infinite is no number
    low, high = percentile_interval(less)
    return None if math.isinf(low) and math.isinf(high) and low != high else (low, high)
