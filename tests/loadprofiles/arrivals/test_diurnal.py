from __future__ import annotations

import pytest

from loadprofiles.arrivals import Diurnal


def test_a_period_begins_and_ends_at_low_and_reaches_high_in_the_middle() -> None:
    curve = Diurnal(2.0, 8.0, 24.0).curve()
    assert [round(curve.rate(t), 9) for t in (0, 6, 12, 18, 24, 36)] == [2, 5, 8, 5, 2, 8]
    assert [curve.cumulative(t) for t in (12, 24, 48)] == pytest.approx([60, 120, 240])
    assert curve.time_of(180) == pytest.approx(36)


@pytest.mark.parametrize(("wrong", "says"), [(Diurnal(3, 2, 60), "low <= high"), (Diurnal(1, 2, 0), "period")])
def test_invalid_numbers_are_rejected(wrong: Diurnal, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wrong.curve()
