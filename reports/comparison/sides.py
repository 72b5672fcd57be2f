"""Runs compared by their sides: the runs of one stack, or of one folder, against those of another, paired by seed.

The run is the unit. Each later side is compared with the first. At least `MIN_PAIRS` pairs give a word on a measure, by
a paired t test of the differences (of logarithms for values above zero); a single pair gives one only beyond the stored
spread of A/A pairs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.comparison.chance import ALPHA, MIN_PAIRS, Scale, count_p, holm, least_sd, on_scale, pairs_p, scales_of
from reports.comparison.conditions import conditions_of, targets_of
from reports.comparison.paired import COMPARED_MEASURES
from reports.comparison.spread import number
from reports.measures.catalogue import CATALOGUE
from reports.shared.phases import GATE_PHASES

__all__ = ["ComparedRun", "PairJudge", "Side", "contrasts", "doubt_text", "sides_of"]

ComparedRun = tuple[Path, dict[str, Any]]
"""A run's folder and its report."""

PairJudge = Callable[[ComparedRun, ComparedRun], Mapping[str, Any]]
"""Judges a single pair of runs, the second being the reference: `rows` and `spread` of its contrast, or a `note`."""


@dataclass(frozen=True, slots=True)
class Side:
    """The runs that are compared together with those of another side."""

    label: str
    runs: tuple[ComparedRun, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """One measure in one phase on both sides, one value for each pair."""

    measure: str
    title: str
    unit: str
    phase: str | None
    pairs: tuple[tuple[float, float], ...]
    calls: float


def sides_of(runs: Sequence[ComparedRun]) -> list[Side]:
    """The sides: by stack, gateway with its version, or URL and twin, the twins first; if all are equal, by the parent
    folder.

    Two runs of one stack in one folder are a side each.
    """
    grouped: dict[str, list[ComparedRun]] = {}
    played = [conditions_of(report["run"], report["phases"]) for _, report in runs]
    targets = targets_of([report["run"] for _, report in runs])
    for run, its, target in sorted(zip(runs, played, targets, strict=True), key=lambda one: not one[1].twin):
        grouped.setdefault(f"{target}{', without the faults' if its.twin else ''}", []).append(run)
    if len(grouped) == 1:
        parents = list(dict.fromkeys(folder.resolve().parent for folder, _ in runs))
        if len(parents) > 1:
            named = len({parent.name for parent in parents}) == len(parents)
            grouped = {
                parent.name if named else str(parent): [run for run in runs if run[0].resolve().parent == parent]
                for parent in parents
            }
        elif len(runs) == 2:
            grouped = {folder.name: [(folder, report)] for folder, report in runs}
    return [Side(label, tuple(found)) for label, found in grouped.items()]


def contrasts(sides: Sequence[Side], judge_pair: PairJudge) -> list[dict[str, Any]]:
    """Each later side against the first: the content of `differences` in comparison.json."""
    return [_contrast(side, sides[0], judge_pair) for side in sides[1:]]


def _contrast(here: Side, there: Side, judge_pair: PairJudge) -> dict[str, Any]:
    pairs = _paired(here, there)
    contrast: dict[str, Any] = {
        "here": here.label,
        "there": there.label,
        "pairs": len(pairs),
        "seeds": [one["run"]["seed"] for (_, one), _ in pairs],
        "note": "",
        "doubt": "",
        "spread": None,
        "rows": [],
    }
    repeat = f"play at least {MIN_PAIRS} seeds on both sides and compare all runs"
    if not pairs:
        contrast["note"] = f"no seed was played on both sides, so there is no pair of runs: {repeat}"
    elif len(pairs) == 1:
        contrast.update(judge_pair(*pairs[0]))
        contrast["rows"] = contrast["rows"] or _rows(pairs, judge=False)
    elif len(pairs) < MIN_PAIRS:
        contrast["note"] = f"{len(pairs)} pairs are too few to tell a difference from chance: {repeat}"
        contrast["rows"] = _rows(pairs, judge=False)
    else:
        contrast["rows"] = _rows(pairs, judge=True)
        contrast["doubt"] = doubt_text(doubtful=_doubtful(pairs), severe=_severe(pairs))
    return contrast


def doubt_text(*, doubtful: bool, severe: bool) -> str:
    """What is not compared because of doubts about a machine; "" without doubts."""
    if severe:
        return "nothing is compared: a machine was so busy that it changed what happened"
    return "latencies are not compared: not all runs are valid" if doubtful else ""


def _doubtful(pairs: Sequence[tuple[ComparedRun, ComparedRun]]) -> bool:
    return any(report["proofs"]["doubts"] for pair in pairs for _, report in pair)


def _severe(pairs: Sequence[tuple[ComparedRun, ComparedRun]]) -> bool:
    """Whether a machine was so busy that it changed what happened in a run."""
    return any(report["proofs"].get("severe_doubts") for pair in pairs for _, report in pair)


def _paired(here: Side, there: Side) -> list[tuple[ComparedRun, ComparedRun]]:
    """The runs of each seed that both sides played, in the order in which they were played."""
    ours, theirs = _by_seed(here), _by_seed(there)
    return [pair for seed in theirs if seed in ours for pair in zip(ours[seed], theirs[seed], strict=False)]


def _by_seed(side: Side) -> dict[Any, list[ComparedRun]]:
    found: dict[Any, list[ComparedRun]] = defaultdict(list)
    for run in sorted(side.runs, key=lambda run: str(run[1]["run"]["started_at"])):
        found[run[1]["run"]["seed"]].append(run)
    return found


def _rows(pairs: Sequence[tuple[ComparedRun, ComparedRun]], *, judge: bool) -> list[dict[str, Any]]:
    """Every measure that all the runs have, with p values corrected for their number. `judge`: False gives none."""
    doubtful, severe = _doubtful(pairs), _severe(pairs)
    found = [_value(pairs, name, phase) for name in _names(pairs) for phase in (None, *GATE_PHASES)]
    values = [value for value in found if value is not None]
    judge = judge and not severe
    judged = [judge and not (doubtful and CATALOGUE[value.measure.partition(".")[0]].latency) for value in values]
    corrected = iter(holm([_p(value) for value, known in zip(values, judged, strict=True) if known]))
    rows = []
    for value, known in zip(values, judged, strict=True):
        p = next(corrected) if known else None
        rows.append({**_summary(value), "p": p, "differs": p is not None and p < ALPHA})
    return rows


def _names(pairs: Sequence[tuple[ComparedRun, ComparedRun]]) -> list[str]:
    """The compared measures, and those of the gates of any run."""
    names = dict.fromkeys(COMPARED_MEASURES)
    for pair in pairs:
        for _, report in pair:
            for gate in report["gates"]:
                spec = CATALOGUE.get(str(gate["measure"]).partition(".")[0])
                if spec is not None and spec.phased and not spec.about_fault:
                    names.setdefault(gate["measure"])
    return list(names)


def _value(pairs: Sequence[tuple[ComparedRun, ComparedRun]], name: str, phase: str | None) -> _Value | None:
    known = pairs[0][0][1]["measures"].get(name)
    found = []
    for (_, one), (_, other) in pairs:
        ours, theirs = number(one, name, phase), number(other, name, phase)
        if ours is None or theirs is None:
            return None
        found.append((ours, theirs))
    calls = [number(report, "calls", phase) or 0.0 for pair in pairs for _, report in pair]
    return _Value(name, known["title"], known["unit"], phase, tuple(found), min(calls))


def _differences(value: _Value) -> tuple[Scale, list[float]]:
    scale = scales_of(value.unit, [one for pair in value.pairs for one in pair])[0]
    return scale, [0.0 if one == other else on_scale(one, scale) - on_scale(other, scale) for one, other in value.pairs]


def _p(value: _Value) -> float:
    scale, differences = _differences(value)
    smallest = min(one for pair in value.pairs for one in pair)
    p = pairs_p(differences, least_sd(value.unit, value.calls, scale, smallest))
    if value.unit != "count":
        return p
    return max(p, count_p(*(math.fsum(side) for side in zip(*value.pairs, strict=True))))


def _summary(value: _Value) -> dict[str, Any]:
    """The mean of each side (geometric for logarithms), their difference, and its 95 % interval (None for counts)."""
    scale, differences = _differences(value)
    n, logarithms = len(differences), scale == "log" and all(map(math.isfinite, differences))
    here, there = (
        math.exp(math.fsum(map(math.log, side)) / n) if logarithms else math.fsum(side) / n
        for side in zip(*value.pairs, strict=True)
    )
    interval = None
    if n >= MIN_PAIRS and scale != "root" and all(map(math.isfinite, differences)):
        bounds = _t_interval(differences)
        interval = [there * math.expm1(bound) for bound in bounds] if logarithms else list(bounds)
    return {
        "measure": value.measure,
        "title": value.title,
        "unit": value.unit,
        "phase": value.phase,
        "here": here,
        "there": there,
        "difference": 0.0 if here == there else here - there,
        "interval": interval,
    }


def _t_interval(differences: Sequence[float]) -> tuple[float, float]:
    from scipy.special import stdtrit  # 0.2 s

    n = len(differences)
    mean = math.fsum(differences) / n
    sd = math.sqrt(math.fsum((one - mean) ** 2 for one in differences) / (n - 1))
    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return mean - half, mean + half
