"""Least outstanding requests, also in slow start. Exact numbers."""

from __future__ import annotations

from random import Random

from targets.gateway.policies.balancing.least_outstanding import LeastOutstanding
from tests.support.candidates import SIZE, FakeCandidate


def test_least_outstanding_picks_the_fewest_in_flight_and_draws_ties() -> None:
    replicas = [FakeCandidate("a", 2), FakeCandidate("b", 1), FakeCandidate("c", 1)]
    policy, rng = LeastOutstanding(), Random(3)
    assert {policy.pick(0.0, replicas, rng, SIZE).name for _ in range(40)} == {"b", "c"}
    assert policy.load(0.0, replicas[0]) == 2.0


def test_least_outstanding_scales_the_count_of_a_replica_in_slow_start() -> None:
    full, back = FakeCandidate("full", 9), FakeCandidate("back", 0, share=0.1)
    rng = Random(2)
    # 9 against (0 + 1) / 0.1 - 1: a tie
    assert {LeastOutstanding().pick(0.0, [full, back], rng, SIZE).name for _ in range(40)} == {"full", "back"}
    full.in_flight = 8
    assert LeastOutstanding().pick(0.0, [full, back], rng, SIZE) is full
