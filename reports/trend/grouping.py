"""Groups runs into series: those that differ in nothing but the time at which they were played, and in their seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from reports.comparison.conditions import Conditions, mismatches
from reports.trend.reading import TrendRun

__all__ = ["Series", "series_of"]


@dataclass(frozen=True, slots=True)
class Series:
    """Runs that can be compared, by the time of their start.

    `apart`: why they are not in the first series of the same experiment, target and machine; "" for the first.
    """

    experiment: str
    title: str
    target: str
    twin: bool
    machine: str
    runs: tuple[TrendRun, ...]
    apart: str = ""

    @property
    def label(self) -> str:
        """`lose-tpu-pool on multi-cloud`."""
        return f"{self.experiment} on {self.target}" + (", without its faults" if self.twin else "")


def series_of(runs: Iterable[TrendRun]) -> list[Series]:
    """The series, those of one experiment beside each other; within it, by their first run."""
    groups: dict[tuple[str, str, bool, str], list[list[TrendRun]]] = {}
    for run in sorted(runs, key=lambda one: (one.started_at, str(one.folder))):
        played = run.conditions
        key = (played.experiment, played.target, played.twin, str(run.run.get("machine") or ""))
        parts = groups.setdefault(key, [])
        part = next((one for one in parts if not _apart(one[0], run)), None)
        if part is None:
            parts.append([run])
        else:
            _add(part, run)
    found = [
        _series(key, part, _apart(parts[0][0], part[0]) if number else "")
        for key, parts in groups.items()
        for number, part in enumerate(parts)
    ]
    return sorted(found, key=lambda one: one.experiment)


def _add(part: list[TrendRun], run: TrendRun) -> None:
    """Append the run; the first place is that of a whole run, with which the others are compared."""
    part.append(run)
    if part[0].broken_off and not run.broken_off:
        part.insert(0, part.pop())


def _apart(one: TrendRun, other: TrendRun) -> str:
    """Why the measures of two runs do not compare; "" if they do. The phases of a run that broke off do not count."""
    ours, theirs = one.conditions, other.conditions
    if one.broken_off or other.broken_off:
        ours, theirs = _without_phases(ours), _without_phases(theirs)
    return "; ".join(mismatches([ours, theirs]))


def _without_phases(played: Conditions) -> Conditions:
    return msgspec.structs.replace(played, phases_s={})


def _series(key: tuple[str, str, bool, str], part: Sequence[TrendRun], apart: str) -> Series:
    experiment, target, twin, machine = key
    ordered = tuple(sorted(part, key=lambda one: (one.started_at, str(one.folder))))
    title = str(ordered[-1].run.get("title") or "")
    return Series(experiment, title, target, twin, machine, ordered, apart)
