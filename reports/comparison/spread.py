"""The stored spread of A/A pairs: how far two runs of the same experiment, stack and seed differ on one machine.

A file of spreads is JSON, made by `python -m bench.spread`. `docs/honesty.md` documents its fields. A spread applies
only to runs under the same conditions, on the same class of machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from reports.comparison.chance import MIN_PAIRS, Scale, on_scale, scales_of
from reports.comparison.conditions import Conditions, conditions_of, mismatches
from reports.shared.errors import UserError
from reports.shared.regular_file import read_regular

__all__ = [
    "SHIPPED",
    "SPREAD_FILE",
    "Spread",
    "SpreadFile",
    "find_spread",
    "measured_spread",
    "number",
    "read_spreads",
    "sd_of_pair",
    "spread_facts",
    "spreads_of_pair",
]

SHIPPED: Final = Path(__file__).with_name("spreads")
"""Spreads that come with the package, for experiments of the catalogue; the folder may be missing."""

SPREAD_FILE: Final = "spread.json"
"""In the folder of a run with a twin: a copy of the file given with `--spread`."""

WHOLE_RUN: Final = "run"
"""The key of baseline, fault and recovery together, beside the names of the phases."""

_Sd = Annotated[float, Meta(ge=0)]


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The spread of `pairs` A/A pairs under the same `conditions`.

    `machine`: its class, as in the report's `run.machine`. `commit`: of brownout. `measures`: by measure and phase
    (`run`: the phases together), the standard deviation of the pairs' differences on each scale that fits.
    """

    conditions: Conditions
    machine: str
    commit: str
    pairs: Annotated[int, Meta(ge=MIN_PAIRS)]
    seeds: list[int]
    measures: dict[str, dict[str, dict[Scale, _Sd]]]


class SpreadFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a file of spreads."""

    schema: Literal[1]
    spreads: list[Spread]


def read_spreads(path: Path | None) -> list[Spread]:
    """The spreads in a file, or without one those of the package. Raises UserError for a file that is not valid."""
    paths = [path] if path is not None else sorted(SHIPPED.glob("*.json"))
    return list(chain.from_iterable(_read(one) for one in paths))


def _read(path: Path) -> list[Spread]:
    try:
        return msgspec.json.decode(read_regular(path), type=SpreadFile).spreads
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise UserError(f"{path}: is not a file of spreads ({error}). Make one with: python -m bench.spread") from error


def find_spread(spreads: Iterable[Spread], played: Conditions, machine: str) -> tuple[Spread | None, str]:
    """The spread that applies to a run, or None and why not ("" where the experiment has no spread at all)."""
    why = ""
    for spread in spreads:
        stored = spread.conditions
        if (stored.experiment, stored.target, stored.twin) != (played.experiment, played.target, played.twin):
            continue
        if found := mismatches([stored, played]):
            why = f"the stored spread is of other conditions: {'; '.join(found)}"
        elif spread.machine != machine:
            why = f"the stored spread was measured on {spread.machine}, this run on {machine or 'an unknown machine'}"
        else:
            return spread, ""
    return None, why


def spreads_of_pair(
    spreads: Sequence[Spread], here: Mapping[str, Any], there: Mapping[str, Any]
) -> tuple[Spread, Spread] | str:
    """The spreads that apply to two runs, given their reports, or why there are none ("" where nothing is stored)."""
    found = []
    for report in (here, there):
        run = report["run"]
        spread, why = find_spread(spreads, conditions_of(run, report["phases"]), str(run.get("machine") or ""))
        if spread is None:
            return why
        found.append(spread)
    return found[0], found[1]


def spread_facts(spreads: tuple[Spread, Spread]) -> dict[str, Any]:
    """The A/A pairs by which a pair of runs is judged, for reports."""
    fewest = min(spreads, key=lambda one: one.pairs)
    return {"pairs": fewest.pairs, "machine": fewest.machine, "commit": fewest.commit}


def sd_of_pair(here: Spread, there: Spread, measure: str, phase: str | None) -> dict[Scale, float]:
    """Standard deviation of the difference of one run of each kind, by scale; empty where one has no spread.

    A pair of equal runs has twice the variance of one run, so this is the root of the mean of both variances.
    """
    ours, theirs = (one.measures.get(measure, {}).get(phase or WHOLE_RUN, {}) for one in (here, there))
    return {scale: math.sqrt((ours[scale] ** 2 + theirs[scale] ** 2) / 2) for scale in ours if scale in theirs}


def measured_spread(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], commit: str) -> Spread:
    """The spread of A/A pairs of reports. Raises ValueError for too few, and for runs that are not repetitions.

    A measure that a run lacks, or that is infinite in one, gets no spread.
    """
    reports = list(chain.from_iterable(pairs))
    if len(pairs) < MIN_PAIRS:
        raise ValueError(f"a spread needs at least {MIN_PAIRS} pairs; there are {len(pairs)}")
    played = [conditions_of(report["run"], report["phases"]) for report in reports]
    targets = {(one.target, one.twin) for one in played}
    machines = {str(report["run"].get("machine") or "unknown") for report in reports}
    problems = mismatches(played)
    if len(targets) > 1:
        problems.append("the runs have different targets, or only some are twins")
    if len(machines) > 1:
        problems.append(f"the runs were played on different machines: {', '.join(sorted(machines))}")
    if any(one["run"]["seed"] != other["run"]["seed"] for one, other in pairs):
        problems.append("the two runs of a pair have different seeds")
    if problems:
        raise ValueError("; ".join(problems))
    return Spread(
        conditions=played[0],
        machine=machines.pop(),
        commit=commit,
        pairs=len(pairs),
        seeds=[int(one["run"]["seed"]) for one, _ in pairs],
        measures={name: found for name in reports[0]["measures"] if (found := _by_phase(pairs, name))},
    )


def _by_phase(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], name: str) -> dict[str, dict[Scale, float]]:
    found: dict[str, dict[Scale, float]] = {}
    first = pairs[0][0]["measures"][name]
    for phase in (None, *first["phases"]):
        values = [(number(one, name, phase), number(other, name, phase)) for one, other in pairs]
        known = [(one, other) for one, other in values if one is not None and other is not None]
        if len(known) == len(pairs) and all(math.isfinite(value) for pair in known for value in pair):
            scales = scales_of(first["unit"], list(chain.from_iterable(known)))
            found[phase or WHOLE_RUN] = {scale: _sd(known, scale) for scale in scales}
    return found


def _sd(pairs: Sequence[tuple[float, float]], scale: Scale) -> float:
    """Root mean square of the differences: their mean is 0, because which run is the first is arbitrary."""
    return math.sqrt(
        math.fsum((on_scale(one, scale) - on_scale(other, scale)) ** 2 for one, other in pairs) / len(pairs)
    )


def number(report: Mapping[str, Any], name: str, phase: str | None) -> float | None:
    """The value of a measure in report.json, in one phase or the whole run; None where it was not measured."""
    measure = report["measures"].get(name)
    if measure is None:
        return None
    cell = measure["run"] if phase is None else measure["phases"].get(phase)
    value = cell["value"] if cell is not None else None
    if isinstance(value, str):  # infinite
        return -math.inf if value.startswith("-") else math.inf
    return None if value is None or isinstance(value, bool) else float(value)
