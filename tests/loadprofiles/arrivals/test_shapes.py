from __future__ import annotations

import pytest

from loadprofiles.arrivals import Constant, LaunchDay, Shapes, Spike


def test_a_sum_adds_the_rates_of_its_shapes() -> None:
    curve = Shapes(sum=(Shapes(constant=Constant(2.0)), Shapes(spike=Spike(0.0, 3.0, 5.0)))).curve()
    assert [curve.rate(t) for t in (0, 4, 6)] == [5, 5, 2]
    assert curve.cumulative(10) == 35
    assert curve.time_of(35) == pytest.approx(10)


def test_the_numbers_of_every_shape_in_a_sum_are_checked() -> None:
    with pytest.raises(ValueError, match="base <= peak"):
        Shapes(sum=(Shapes(constant=Constant(1)), Shapes(launch_day=LaunchDay(3, 2, 1))))
