from __future__ import annotations

from itertools import islice

from loadprofiles.arrivals import ArrivalsSpec, Constant
from loadprofiles.draws import Draws


def test_the_rate_is_constant_and_sessions_are_evenly_spaced() -> None:
    spec = ArrivalsSpec(constant=Constant(4.0))
    assert spec.rate(0) == spec.rate(1000) == 4.0
    assert list(islice(spec.arrivals(Draws(1)), 8)) == [0.125 + 0.25 * i for i in range(8)]


def test_a_constant_rate_of_zero_starts_no_session() -> None:
    assert list(ArrivalsSpec(constant=Constant(0.0)).arrivals(Draws(1))) == []
