"""What the balancing policies have in common: the least loaded candidate, and ties."""

from __future__ import annotations

from collections import Counter
from random import Random

from targets.gateway.policies.balancing.balancer import least_loaded
from tests.support.candidates import FakeCandidate

A, B, C = (FakeCandidate(name) for name in "abc")


def test_the_lowest_load_wins_without_a_draw() -> None:
    rng = Random(1)
    before = rng.getstate()
    assert least_loaded([A, B, C], [2.0, 0.5, 1.0], rng) is B
    assert rng.getstate() == before


def test_ties_are_drawn_evenly_among_the_lowest_loads_only() -> None:
    rng = Random(1)
    drawn = Counter(least_loaded([A, B, C], [1.0, 2.0, 1.0], rng).name for _ in range(1000))
    assert set(drawn) == {"a", "c"}
    assert all(450 < count < 550 for count in drawn.values())
