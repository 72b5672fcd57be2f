"""Spillover and slow start: exact numbers."""

from __future__ import annotations

import pytest

from targets.gateway.config import SlowStart, Spillover
from targets.gateway.policies.balancing.slow_start import weight
from targets.gateway.policies.balancing.spillover import PoolSteps
from tests.support.candidates import FakeCandidate, upstream

UPSTREAMS = [
    upstream("a0", "a", "aws", 30.0),
    upstream("a1", "a", "aws", 30.0),
    upstream("b0", "b", "gcp", 10.0),
    upstream("c0", "c", "gcp", 20.0),
]


def names(steps: PoolSteps, candidates: list[FakeCandidate]) -> list[str]:
    return [candidate.name for candidate in steps.narrow(candidates)]


def fleet(**in_flight: int) -> list[FakeCandidate]:
    return [FakeCandidate(each.name, in_flight.get(each.name, 0), upstream=each) for each in UPSTREAMS]


def test_the_next_pool_is_used_when_the_one_before_is_full() -> None:
    steps = PoolSteps(Spillover(in_flight=4, order=("a", "b")), UPSTREAMS)
    assert names(steps, fleet(a0=4, a1=3)) == ["a0", "a1"]
    assert names(steps, fleet(a0=4, a1=4)) == ["b0"]
    assert names(steps, fleet(a0=4, a1=4, b0=4)) == ["c0"]
    assert names(steps, fleet(a0=4, a1=4, b0=4, c0=4)) == ["a0", "a1", "b0", "c0"]


def test_a_step_of_which_half_is_ill_overflows_at_half_its_size() -> None:
    steps = PoolSteps(Spillover(in_flight=4, order=("a",)), UPSTREAMS)
    assert names(steps, fleet(a0=4, a1=0)[:1] + fleet()[2:]) == ["b0", "c0"]


def test_clouds_are_steps_and_so_are_prices() -> None:
    by_cloud = PoolSteps(Spillover(order=("gcp", "aws")), UPSTREAMS)
    assert [by_cloud.step(each.name) for each in UPSTREAMS] == [1, 1, 0, 0]
    by_price = PoolSteps(Spillover(), UPSTREAMS)
    assert [by_price.step(each.name) for each in UPSTREAMS] == [2, 2, 0, 1]


def test_an_order_that_names_a_pool_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="twice"):
        Spillover(order=("a", "a"))


def test_the_weight_rises_over_the_window() -> None:
    config = SlowStart(window_s=10.0, min_weight=0.1)
    assert [weight(config, at) for at in (0.0, 0.5, 5.0, 9.0, 10.0)] == [0.1, 0.1, 0.5, 0.9, 1.0]
    assert weight(None, 0.0) == 1.0
    assert weight(SlowStart(window_s=10.0, aggression=2.0), 2.5) == pytest.approx(0.5)
