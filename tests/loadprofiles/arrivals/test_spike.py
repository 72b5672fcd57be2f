from __future__ import annotations

from itertools import pairwise, takewhile

import pytest

from loadprofiles.arrivals import ArrivalsSpec, Spike
from loadprofiles.draws import Draws


def starts(spec: ArrivalsSpec, until: float, seed: int = 1) -> list[float]:
    return list(takewhile(lambda at: at < until, spec.arrivals(Draws(seed))))


def test_the_rate_is_at_its_peak_only_during_the_spike() -> None:
    spec = ArrivalsSpec(spike=Spike(base=1.0, peak=9.0, for_s=5, from_s=10))
    assert [spec.rate(t) for t in (0, 9.99, 10, 14.99, 15, 60)] == [1, 1, 9, 9, 1, 1]


def test_coding_agent_ci_starts_285_sessions_within_55_s_with_every_seed() -> None:
    spec = ArrivalsSpec(spike=Spike(base=4.7, peak=10, for_s=5))
    begin = starts(spec, 5)
    assert len(begin) == 50
    assert all(later - at == pytest.approx(0.1) for at, later in pairwise(begin))
    assert len(starts(spec, 55)) == 285
    assert starts(spec, 55, seed=1) == starts(spec, 55, seed=2)
