"""The fault periods of an exercise: faults that were active at overlapping times are one.

People see symptoms, not faults: with two faults at once nobody can say which one was noticed. What people said belongs
to the last period that had begun. For 60 s after a period its symptoms may still be there; a notice after that, and
before the next period, is about nothing that was played.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from reports.gameday.exercise import PlayedFault

__all__ = ["AFTERMATH_S", "Period", "about", "periods_of"]

AFTERMATH_S: Final = 60.0
"""How long symptoms may stay after the last fault of a period, seconds."""


class _Timed(Protocol):
    @property
    def begin_s(self) -> float: ...

    @property
    def end_s(self) -> float | None: ...


_AnyFault = TypeVar("_AnyFault", bound=_Timed)


@dataclass(frozen=True, slots=True)
class Period:
    """Faults that overlap. `number` counts from 1. `end_s`: None: one is still active. `next_s`: the next period."""

    number: int
    faults: tuple[PlayedFault, ...]
    begin_s: float
    end_s: float | None
    next_s: float = math.inf

    @property
    def noticeable_until_s(self) -> float:
        """Until when something of it can be noticed."""
        return self.next_s if self.end_s is None else min(self.next_s, self.end_s + AFTERMATH_S)


def periods_of(faults: Iterable[PlayedFault]) -> list[Period]:
    """The periods in the order of time."""
    groups = _groups(faults)
    begins = [group[0].begin_s for group in groups] + [math.inf]
    return [
        Period(number, tuple(group), group[0].begin_s, _end(group), begins[number])
        for number, group in enumerate(groups, 1)
    ]


def _groups(faults: Iterable[_AnyFault]) -> list[list[_AnyFault]]:
    groups: list[list[_AnyFault]] = []
    end_s = -math.inf
    for fault in sorted(faults, key=lambda one: one.begin_s):
        if fault.begin_s >= end_s:
            groups.append([])
            end_s = -math.inf
        groups[-1].append(fault)
        end_s = max(end_s, math.inf if fault.end_s is None else fault.end_s)
    return groups


def _end(group: Sequence[PlayedFault]) -> float | None:
    ends = [fault.end_s for fault in group]
    return None if None in ends else max(end for end in ends if end is not None)


def about(faults: Sequence[_AnyFault], t_s: float) -> list[_AnyFault]:
    """The faults that a belief at this time may be about.

    Those that are active or whose symptoms may still be there; else, those of the last period. Empty before the first.
    """
    begun = [fault for fault in faults if fault.begin_s <= t_s]
    near = [fault for fault in begun if fault.end_s is None or t_s < fault.end_s + AFTERMATH_S]
    if near or not begun:
        return near
    return _groups(begun)[-1]
