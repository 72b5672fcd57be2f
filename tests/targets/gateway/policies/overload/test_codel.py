"""Controlled delay. Exact times."""

from __future__ import annotations

from targets.gateway.policies.overload.codel import Codel


def test_codel_is_overloaded_if_the_lowest_delay_of_an_interval_is_high() -> None:
    codel = Codel(1.0)
    for now in (0.0, 0.5, 1.0):
        codel.observe(now, 0.6, 0.5)
    assert codel.overloaded
    assert codel.drops_after_s(0.5) == 1.0
    codel.observe(1.5, 0.4, 0.5)
    assert codel.overloaded  # until the interval ends
    codel.observe(2.0, 0.9, 0.5)
    assert not codel.overloaded
    assert codel.drops_after_s(0.5) is None


def test_codel_does_not_take_a_burst_for_overload() -> None:
    codel = Codel(1.0)
    codel.observe(0.0, 3.0, 0.5)
    codel.observe(0.9, 0.0, 0.5)
    codel.observe(1.0, 3.0, 0.5)
    assert not codel.overloaded
