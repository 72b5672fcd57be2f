"""The conditions of a run that must be equal for its measures to be comparable with those of another run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from reports.shared.phases import GATE_PHASES
from reports.shared.wording import number_text, target_text

__all__ = ["Conditions", "conditions_of", "mismatches", "targets_of", "versions_of"]

_SAME_LENGTH: Final = {"baseline": (2.0, 0.1), "fault": (10.0, 0.5), "recovery": (2.0, 0.1)}
"""Phases are equally long up to so many seconds or to this share of the longest. The fault lasts until it is reverted,
and a replica takes a different time to restart each time; the other phases last as long as planned."""


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was played. `target`: stack, gateway or URL. `twin`: without the faults. `phases_s`: lengths of phases.
    `load_scale`: by which the rate of arrivals was multiplied.
    """

    experiment: str
    target: str
    twin: bool
    short_form: bool
    profile: str
    trace: str
    slo: dict[str, float]
    phases_s: dict[str, float]
    load_scale: float = 1.0


def conditions_of(run: Mapping[str, Any], phases: Sequence[Mapping[str, Any]]) -> Conditions:
    """From the parts `run` and `phases` of a report; also of an older report, which lacks some of the fields."""
    twin = run.get("twin_of") is not None
    name = str(run["name"])
    lengths: dict[str, float] = {}
    for phase in phases:
        if phase["name"] in GATE_PHASES:
            lengths[phase["name"]] = lengths.get(phase["name"], 0.0) + round(phase["end_s"] - phase["start_s"], 3)
    return Conditions(
        experiment=name.removesuffix("-twin") if twin else name,
        target=target_text(run),
        twin=twin,
        short_form=bool(run.get("short_form")),
        profile=str(run["profile"]),
        trace=json.dumps(run["trace"], sort_keys=True),
        slo={key: float(value) for key, value in (run["slo"] or {}).items()},
        phases_s=lengths,
        load_scale=float(run.get("load_scale") or 1.0),
    )


def versions_of(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The versions of the gateway by target, where the record says them. `runs`: the parts `run` of reports."""
    found: dict[str, list[str]] = {}
    for run in runs:
        versions = found.setdefault(target_text(run), [])
        version = str(run.get("gateway_version") or "")
        if version and version not in versions:
            versions.append(version)
    return found


def targets_of(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The target of each run, with the version of its gateway where another run had another one.

    `runs`: the parts `run` of reports.
    """
    versions = versions_of(runs)
    return [
        f"{target}, version {run.get('gateway_version') or 'unknown'}" if len(versions[target]) > 1 else target
        for run, target in ((run, target_text(run)) for run in runs)
    ]


def mismatches(runs: Sequence[Conditions]) -> list[str]:
    """Why measures of these runs do not compare, each as a sentence; empty if they do. Targets and twins may differ."""
    return list(_mismatches(runs))


def _mismatches(runs: Sequence[Conditions]) -> Iterator[str]:
    short = sum(run.short_form for run in runs)
    if 0 < short < len(runs):
        yield f"{short} of {len(runs)} runs are short forms (smoke runs of a few seconds), the others are full runs"
    if found := _several(run.experiment for run in runs):
        yield f"the runs have different experiments: {found}"
    if found := _several(run.profile for run in runs):
        yield f"the runs have different profiles: {found}"
    if found := _several(number_text(run.load_scale) for run in runs):
        yield f"the load of the runs is scaled differently: by {found}"
    if _several(run.trace for run in runs):
        yield "the runs do not replay the same recordings"
    if found := _several(_slo_text(run.slo) for run in runs):
        yield f"the runs have different objectives: {found}"
    if not 0 < short < len(runs):
        for phase, (seconds, share) in _SAME_LENGTH.items():
            lengths = [run.phases_s.get(phase, 0.0) for run in runs]
            if max(lengths) - min(lengths) > max(seconds, share * max(lengths)):
                yield f"the {phase} lasted from {number_text(min(lengths))} s to {number_text(max(lengths))} s"


def _several(values: Iterator[str]) -> str:
    """The different values as text; "" if all are equal."""
    different = list(dict.fromkeys(values))
    return ", ".join(different) if len(different) > 1 else ""


def _slo_text(slo: Mapping[str, float]) -> str:
    return "{" + ", ".join(f"{key} {number_text(value)} s" for key, value in sorted(slo.items())) + "}"
