from __future__ import annotations

from loadprofiles.arrivals import Step


def test_the_rate_changes_once() -> None:
    curve = Step(2.0, 6.0, at_s=10.0).curve()
    assert [curve.rate(t) for t in (0, 9.9, 10, 99)] == [2, 2, 6, 6]
    assert curve.cumulative(20) == 80


def test_a_step_at_zero_has_only_the_second_rate() -> None:
    curve = Step(2.0, 6.0, at_s=0.0).curve()
    assert [curve.rate(t) for t in (0, 1, 99)] == [6, 6, 6]
