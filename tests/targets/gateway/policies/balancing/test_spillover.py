"""Spillover: pools one after the other. Exact numbers."""

from __future__ import annotations

import pytest

from targets.gateway.config import Spillover
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


def test_a_half_unhealthy_step_is_full_at_half_its_size() -> None:
    steps = PoolSteps(Spillover(in_flight=4, order=("a",)), UPSTREAMS)
    assert names(steps, fleet(a0=4, a1=0)[:1] + fleet()[2:]) == ["b0", "c0"]


def test_steps_follow_the_order_of_clouds_or_the_price() -> None:
    by_cloud = PoolSteps(Spillover(order=("gcp", "aws")), UPSTREAMS)
    assert [by_cloud.step(each.name) for each in UPSTREAMS] == [1, 1, 0, 0]
    by_price = PoolSteps(Spillover(), UPSTREAMS)
    assert [by_price.step(each.name) for each in UPSTREAMS] == [2, 2, 0, 1]


def test_an_order_that_names_a_pool_twice_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        Spillover(order=("a", "a"))
