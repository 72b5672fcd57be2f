from __future__ import annotations

import math
import statistics
from itertools import islice, pairwise, takewhile
from typing import Any

import pytest

from loadprofiles.arrivals import ArrivalsSpec, Constant, Diurnal, LaunchDay, Poisson, Ramp, Shapes, Spike
from loadprofiles.draws import Draws


def counts(poisson: Poisson, until: float, seeds: int = 200) -> list[int]:
    return [sum(1 for _ in takewhile(lambda at: at < until, poisson.arrivals(Draws(seed)))) for seed in range(seeds)]


@pytest.mark.parametrize("shape", [{"constant": Constant(2.0)}, {"spike": Spike(1, 5, 5)}, {"ramp": Ramp(0, 4, 15)}])
def test_mean_and_variance_of_the_count_equal_the_integral_of_the_rate(shape: dict[str, Any]) -> None:
    poisson = Poisson(**shape)
    expected = poisson.curve().cumulative(15)
    found = counts(poisson, 15)
    assert statistics.fmean(found) == pytest.approx(expected, abs=4 * math.sqrt(expected / len(found)))
    assert statistics.variance(found) == pytest.approx(expected, rel=0.45)


@pytest.mark.parametrize("cv", [0.3, 1.0, 3.0])
def test_gaps_have_the_configured_rate_and_coefficient_of_variation(cv: float) -> None:
    times = list(islice(Poisson(constant=Constant(5.0), cv=cv).arrivals(Draws(11)), 8000))
    gaps = [later - at for at, later in pairwise(times)]
    assert min(gaps) >= 0
    assert statistics.fmean(gaps) == pytest.approx(0.2, rel=5 * cv / math.sqrt(len(gaps)))
    assert statistics.pstdev(gaps) / statistics.fmean(gaps) == pytest.approx(cv, rel=0.1)


@pytest.mark.parametrize("shape", [Shapes(diurnal=Diurnal(2, 8, 60)), Shapes(launch_day=LaunchDay(3, 90, 20, 5))])
def test_a_cv_of_8_is_kept_around_any_shape(shape: Shapes) -> None:
    poisson = Poisson(diurnal=shape.diurnal, launch_day=shape.launch_day, cv=8.0)
    curve = shape.curve()
    expected = [curve.cumulative(at) for at in islice(poisson.arrivals(Draws(3)), 40_000)]
    gaps = [later - at for at, later in pairwise(expected)]
    # for gamma gaps of shape 1/64, the standard error of the mean is 4 %, that of the coefficient of variation 5 %
    assert statistics.fmean(gaps) == pytest.approx(1.0, rel=0.12)
    assert statistics.pstdev(gaps) / statistics.fmean(gaps) == pytest.approx(8.0, rel=0.15)


def test_equal_seeds_give_equal_times_and_different_seeds_do_not() -> None:
    spec = ArrivalsSpec(poisson=Poisson(constant=Constant(3.0)))
    one, again, other = (list(islice(spec.arrivals(Draws(seed)), 20)) for seed in (1, 1, 2))
    assert one == again != other


def test_arrivals_end_when_the_rate_stays_at_zero() -> None:
    times = list(Poisson(ramp=Ramp(10.0, 0.0, over_s=4)).arrivals(Draws(5)))
    assert times
    assert max(times) <= 4


@pytest.mark.parametrize("wrong", [{}, {"constant": Constant(1), "ramp": Ramp(1, 2, 3)}])
def test_poisson_needs_exactly_one_shape(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Poisson(**wrong)


def test_a_cv_of_zero_is_rejected() -> None:
    with pytest.raises(ValueError, match="cv"):
        Poisson(constant=Constant(1), cv=0)
