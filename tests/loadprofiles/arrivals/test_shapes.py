from __future__ import annotations

from typing import Any

import pytest

from loadprofiles.arrivals import (
    ArrivalsSpec,
    Constant,
    Diurnal,
    LaunchDay,
    Poisson,
    Ramp,
    Sawtooth,
    Shapes,
    Spike,
    Step,
)


def test_a_sum_adds_the_rates_of_its_shapes() -> None:
    curve = Shapes(sum=(Shapes(constant=Constant(2.0)), Shapes(spike=Spike(0.0, 3.0, 5.0)))).curve()
    assert [curve.rate(t) for t in (0, 4, 6)] == [5, 5, 2]
    assert curve.cumulative(10) == 35
    assert curve.time_of(35) == pytest.approx(10)


def test_the_numbers_of_every_shape_in_a_sum_are_checked() -> None:
    with pytest.raises(ValueError, match="base <= peak"):
        Shapes(sum=(Shapes(constant=Constant(1)), Shapes(launch_day=LaunchDay(3, 2, 1))))


@pytest.mark.parametrize(
    "shape",
    [
        {"constant": Constant(2.0)},
        {"ramp": Ramp(1.0, 5.0, 10.0)},
        {"step": Step(1.0, 4.0, 5.0)},
        {"spike": Spike(1.0, 6.0, 5.0, 2.0)},
        {"sawtooth": Sawtooth(1.0, 3.0, 4.0)},
        {"diurnal": Diurnal(1.0, 3.0, 8.0)},
        {"launch_day": LaunchDay(1.0, 9.0, 3.0, 2.0)},
        {"sum": (Shapes(constant=Constant(2.0)), Shapes(spike=Spike(0.0, 3.0, 5.0)))},
    ],
    ids=lambda shape: next(iter(shape)),
)
def test_a_scaled_shape_has_the_same_course_at_another_rate(shape: dict[str, Any]) -> None:
    """Also inside `poisson` and `sum`."""
    for whole in (Shapes(**shape), Poisson(**shape, cv=2.0), ArrivalsSpec(poisson=Poisson(**shape)), spec(**shape)):
        curve, scaled = whole.curve(), whole.scaled(0.25).curve()
        for t in (0.0, 1.0, 3.0, 6.5, 20.0):
            assert scaled.rate(t) == pytest.approx(curve.rate(t) / 4)


def spec(**shape: Any) -> ArrivalsSpec:
    return ArrivalsSpec(sum=(ArrivalsSpec(poisson=Poisson(**shape)), ArrivalsSpec(constant=Constant(1.0))))


def test_a_scaled_poisson_load_keeps_its_variation() -> None:
    assert Poisson(constant=Constant(2.0), cv=4.0).scaled(2.0) == Poisson(constant=Constant(4.0), cv=4.0)
