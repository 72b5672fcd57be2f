"""A run compared with its twin: what the faults changed, as one difference per measure, each with its interval.

The twin plays the same sessions (same seed, same ids) without the faults. The bootstrap is paired: a resample draws
sessions by id and takes the calls of each from both runs, so that differences between sessions cancel out. Sessions
that only one run has (of a surge, or of the last second) are drawn like the others and count in that run only. The
interval covers the variation between sessions, not the variation between runs on the same machine (`docs/honesty.md`):
a pair differs only where its difference is also beyond the stored spread of A/A pairs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from reports.comparison.chance import ALPHA, MIN_PAIRS, SCALES, count_p, holm, least_sd, on_scale, prediction_p
from reports.comparison.spread import SPREAD_FILE, Spread, read_spreads, sd_of_pair, spread_facts, spreads_of_pair
from reports.gates.grammar import Gate
from reports.gates.judging import measure
from reports.gates.validity import prove
from reports.history.evidence import Evidence, Scope, gather
from reports.history.statistics import paired, percentile_interval
from reports.measures.catalogue import CATALOGUE
from reports.measures.measurement import Interval, Measurement
from reports.record.reader import read_record
from reports.report.build import phase_facts, run_facts
from reports.shared.errors import RecordError, UserError
from reports.shared.regular_file import read_regular

__all__ = [
    "COMPARED_MEASURES",
    "ONE_PAIR",
    "PHASES",
    "Difference",
    "difference",
    "difference_fields",
    "differences",
    "evidence_of",
    "judged",
    "twin_section",
]

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

ONE_PAIR: Final = "one pair cannot tell a difference from chance"


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in one phase: in the run (`here`), in its twin (`there`), and here - there.

    `phase`: None means baseline, fault and recovery. `interval`: 95 %, None for facts. `beyond_sessions`: more than
    other sessions would explain: an interval that excludes 0; for a count, an exact test at 5 %; for another fact, any
    difference. `p`: of the difference given the spread of A/A pairs, corrected for the number of measures; None: not
    judged. `differs`: beyond both. `latency`: a busy machine makes it unreliable.
    """

    measure: str
    title: str
    unit: str
    phase: str | None
    here: float
    there: float
    difference: float
    interval: Interval | None
    beyond_sessions: bool
    latency: bool = False
    p: float | None = None
    differs: bool = False


def twin_section(evidence: Evidence, gates: Iterable[Gate], doubts: Sequence[str] = ()) -> dict[str, Any] | None:
    """The section `twin` of the report; None where the run has no twin. `problem` says why a twin cannot be read.

    `doubts`: why the latencies of the run are unreliable. If the run or the twin has any, no latency `differs`.
    """
    path = evidence.record.path / "twin.json"
    if not path.exists():
        return None
    section: dict[str, Any] = {
        "path": None,
        "problem": "",
        "note": "",
        "spread": None,
        "doubts": [],
        "sessions": {},
        "calls": {},
        "differences": [],
    }
    try:
        link = json.loads(read_regular(path))
        section.update(path=str(link["path"]), calls=dict(link["calls"]))
        twin = evidence_of(_folder(evidence.record.path, section["path"]))
    except Exception as error:  # whatever is wrong with the twin, the report of the run itself is written
        section["problem"] = f"the twin cannot be read: {error}"
        return section
    here = {session.id for session in evidence.calls.sessions}
    there = {session.id for session in twin.calls.sessions}
    section["sessions"] = {"both": len(here & there), "here": len(here - there), "there": len(there - here)}
    proofs = prove(evidence), prove(twin)
    section["doubts"] = [*doubts, *(f"its twin: {doubt}" for doubt in proofs[1].latency_doubts)]
    given = evidence.record.path / SPREAD_FILE
    try:
        spreads = spreads_of_pair(read_spreads(given if given.is_file() else None), _played(evidence), _played(twin))
    except UserError as error:
        spreads = str(error)
    if isinstance(spreads, str):
        again = f"play at least {MIN_PAIRS} seeds with --twin and compare all runs, or give --spread FILE"
        section["note"] = f"{ONE_PAIR}{f' ({spreads})' if spreads else ''}: {again}"
    else:
        section["spread"] = spread_facts(spreads)
    found = differences(evidence, twin, gates)
    if not isinstance(spreads, str):
        severe = any(one.severe_doubts for one in proofs)
        found = judged(found, *spreads, doubtful=bool(section["doubts"]), severe=severe)
    section["differences"] = [difference_fields(one) for one in found]
    return section


def judged(
    found: Sequence[Difference], here: Spread, there: Spread, *, doubtful: bool = False, severe: bool = False
) -> list[Difference]:
    """The differences of one pair of runs with `p` and `differs`, given the spread of each kind of run.

    `doubtful`: the machine was busy, no latency `differs`. `severe`: so busy that nothing `differs`.
    """
    calls = {one.phase: min(one.here, one.there) for one in found if one.measure == "calls"}
    p_values = [_p(one, here, there, calls.get(one.phase, 1.0)) for one in found]
    corrected = iter(holm([p for p in p_values if p is not None]))
    rows = []
    for one, known in zip(found, p_values, strict=True):
        p = None if known is None else next(corrected)
        mute = severe or (doubtful and one.latency)
        differs = p is not None and p < ALPHA and one.beyond_sessions and not mute
        rows.append(replace(one, p=p, differs=differs))
    return rows


def _p(found: Difference, here: Spread, there: Spread, calls: float) -> float | None:
    """p value of one difference, not corrected; None without a spread on a scale that fits its values."""
    by_scale = sd_of_pair(here, there, found.measure, found.phase)
    for scale in SCALES:
        sd = by_scale.get(scale)
        if sd is None or (scale == "log" and min(found.here, found.there) < 0):
            continue
        less = 0.0 if found.here == found.there else on_scale(found.here, scale) - on_scale(found.there, scale)
        p = prediction_p(
            less,
            max(sd, least_sd(found.unit, calls, scale, min(found.here, found.there))),
            min(here.pairs, there.pairs),
        )
        return max(p, count_p(found.here, found.there)) if found.unit == "count" else p
    return None


def evidence_of(folder: Path) -> Evidence:
    """The evidence of a run. Raises RecordError where its calls are gone: a record may be reduced to its reports."""
    evidence = gather(read_record(folder))
    if not evidence.calls.calls:
        raise RecordError(f"{folder} has no calls")
    return evidence


def _played(evidence: Evidence) -> dict[str, Any]:
    """The parts of a report that say what was played."""
    return {"run": run_facts(evidence.record), "phases": phase_facts(evidence.record)}


def _folder(run: Path, path: str) -> Path:
    folder = run / path
    if not folder.is_dir():
        raise RecordError(f"{folder} does not exist any more")
    return folder


def difference_fields(found: Difference) -> dict[str, Any]:
    """A difference as a row of report.json."""
    fields = {name: getattr(found, name) for name in Difference.__slots__ if name != "latency"}
    return {**fields, "interval": list(found.interval) if found.interval else None}


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
    unit, is_fact = spec.unit_of(stat), spec.kind_of(stat) == "fact"
    interval = None if is_fact else _interval(ours, theirs)
    if not is_fact:
        beyond = interval is not None and (interval[0] > 0 or interval[1] < 0)
    elif unit == "count":
        beyond = count_p(ours.value, theirs.value) < ALPHA
    else:
        beyond = less != 0
    return Difference(name, spec.title, unit, phase, ours.value, theirs.value, less, interval, beyond, spec.latency)


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
