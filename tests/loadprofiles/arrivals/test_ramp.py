from __future__ import annotations

from itertools import takewhile

from loadprofiles.arrivals import ArrivalsSpec, Ramp
from loadprofiles.draws import Draws


def starts(spec: ArrivalsSpec, until: float, seed: int = 1) -> list[float]:
    return list(takewhile(lambda at: at < until, spec.arrivals(Draws(seed))))


def test_the_rate_changes_linearly_and_then_stays_constant() -> None:
    spec = ArrivalsSpec(ramp=Ramp(2.0, 6.0, over_s=20, from_s=10))
    assert [spec.rate(t) for t in (0, 10, 20, 30, 99)] == [2, 2, 4, 6, 6]
    assert len(starts(spec, 30)) == 2 * 10 + 4 * 20


def test_a_ramp_of_length_zero_is_a_step() -> None:
    spec = ArrivalsSpec(ramp=Ramp(1.0, 5.0, over_s=0, from_s=10))
    assert [spec.rate(t) for t in (9.9, 10, 11)] == [1, 5, 5]
