"""Faults that overlap are one period."""

from __future__ import annotations

import math

from reports.gameday.exercise import PlayedFault
from reports.gameday.periods import AFTERMATH_S, about, periods_of


def fault(name: str, begin_s: float, end_s: float | None) -> PlayedFault:
    return PlayedFault(
        fault=name,
        step="",
        kind="kill",
        text="",
        targets=(),
        cause="",
        components=(),
        begin_s=begin_s,
        end_s=end_s,
    )


def names(faults: list[PlayedFault]) -> list[str]:
    return [one.fault for one in faults]


def test_faults_that_overlap_are_one_period_and_others_are_not() -> None:
    first, second = periods_of([fault("c", 20, 30), fault("a", 0, 10), fault("b", 5, 20)])
    assert names(list(first.faults)) == ["a", "b"]
    assert (first.begin_s, first.end_s, first.next_s) == (0, 20, 20)
    assert (second.number, second.next_s) == (2, math.inf)


def test_a_fault_without_an_end_takes_all_later_ones_into_its_period() -> None:
    (period,) = periods_of([fault("a", 0, None), fault("b", 100, 110)])
    assert period.end_s is None
    assert period.noticeable_until_s == math.inf


def test_symptoms_can_be_noticed_for_a_while_but_not_into_the_next_period() -> None:
    far, near, last = periods_of([fault("a", 0, 10), fault("b", 500, 510), fault("c", 520, 530)])
    assert far.noticeable_until_s == 10 + AFTERMATH_S
    assert near.noticeable_until_s == 520
    assert last.noticeable_until_s == 530 + AFTERMATH_S


def test_a_belief_is_about_what_is_active_else_about_the_last_period() -> None:
    faults = [fault("a", 0, 10), fault("b", 200, 300), fault("c", 250, 260)]
    assert names(about(faults, -1)) == []
    assert names(about(faults, 150)) == ["a"]
    assert names(about(faults, 255)) == ["b", "c"]
    assert names(about(faults, 330)) == ["b"]
    assert names(about(faults, 900)) == ["b", "c"]
