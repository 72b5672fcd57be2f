"""`constant`, `ramp`, `spike`: each is a curve with the numbers it was given."""

from __future__ import annotations

from itertools import pairwise, takewhile

import pytest

from loadprofiles.arrivals import ArrivalsSpec, Constant, Ramp, Spike
from loadprofiles.draws import Draws


def starts(spec: ArrivalsSpec, until: float, seed: int = 1) -> list[float]:
    return list(takewhile(lambda at: at < until, spec.arrivals(Draws(seed))))


def test_constant_has_its_rate_at_all_times() -> None:
    spec = ArrivalsSpec(constant=Constant(4.0))
    assert spec.rate(0) == spec.rate(1000) == 4.0
    assert starts(spec, 2) == [0.125 + 0.25 * i for i in range(8)]


def test_ramp_goes_from_one_rate_to_the_other_and_stays_there() -> None:
    spec = ArrivalsSpec(ramp=Ramp(2.0, 6.0, over_s=20, from_s=10))
    assert [spec.rate(t) for t in (0, 10, 20, 30, 99)] == [2, 2, 4, 6, 6]
    assert len(starts(spec, 30)) == 2 * 10 + 4 * 20


def test_a_ramp_of_no_length_is_a_step() -> None:
    spec = ArrivalsSpec(ramp=Ramp(1.0, 5.0, over_s=0, from_s=10))
    assert [spec.rate(t) for t in (9.9, 10, 11)] == [1, 5, 5]


def test_spike_has_its_peak_within_its_time_only() -> None:
    spec = ArrivalsSpec(spike=Spike(base=1.0, peak=9.0, for_s=5, from_s=10))
    assert [spec.rate(t) for t in (0, 9.99, 10, 14.99, 15, 60)] == [1, 1, 9, 9, 1, 1]


def test_the_spike_of_the_short_profile_starts_285_sessions_within_55_seconds_whatever_the_seed() -> None:
    spec = ArrivalsSpec(spike=Spike(base=4.7, peak=10, for_s=5))
    begin = starts(spec, 5)
    assert len(begin) == 50
    assert all(later - at == pytest.approx(0.1) for at, later in pairwise(begin))
    assert len(starts(spec, 55)) == 285
    assert starts(spec, 55, seed=1) == starts(spec, 55, seed=2)


def test_arrivals_are_exactly_one_shape() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        ArrivalsSpec()
    with pytest.raises(ValueError, match="exactly one"):
        ArrivalsSpec(constant=Constant(1), spike=Spike(1, 2, 3))
