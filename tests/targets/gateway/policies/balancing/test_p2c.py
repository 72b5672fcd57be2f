"""Power of two choices, also in slow start. Exact numbers."""

from __future__ import annotations

from random import Random

import pytest

from targets.gateway.policies.balancing.p2c import PowerOfTwoChoices
from tests.support.candidates import SIZE, FakeCandidate


def test_of_two_choices_the_one_with_less_load_wins() -> None:
    slow, fast = FakeCandidate("slow"), FakeCandidate("fast")
    slow.latency.observe(0.0, 1.0)
    fast.latency.observe(0.0, 0.1)
    policy, rng = PowerOfTwoChoices(), Random(1)
    assert all(policy.pick(0.0, [slow, fast], rng, SIZE) is fast for _ in range(50))
    fast.in_flight = 20  # 0.1 x 21 > 1.0 x 1
    assert policy.pick(0.0, [slow, fast], rng, SIZE) is slow
    assert policy.load(0.0, fast) == pytest.approx(2.1)


def test_the_two_choices_are_distinct_and_cover_all_candidates() -> None:
    replicas = [FakeCandidate(str(n)) for n in range(4)]
    for n, replica in enumerate(replicas):
        replica.latency.observe(0.0, 1.0 + n)
    rng = Random(7)
    picks = [PowerOfTwoChoices().pick(0.0, replicas, rng, SIZE).name for _ in range(600)]
    assert picks.count("3") == 0  # the most loaded one never wins
    assert 250 < picks.count("0") < 350  # the least loaded one wins each draw that contains it: half of them
    assert PowerOfTwoChoices().pick(0.0, replicas[:1], rng, SIZE).name == "0"


def test_p2c_divides_the_load_of_a_replica_in_slow_start_by_its_weight() -> None:
    full, back = FakeCandidate("full", 9), FakeCandidate("back", 1, share=0.1)
    for replica in (full, back):
        replica.latency.observe(0.0, 1.0)
    rng = Random(2)
    assert PowerOfTwoChoices().pick(0.0, [full, back], rng, SIZE) is full  # 1 x 10 against 1 x 2 / 0.1 = 20
    full.in_flight = 20
    assert PowerOfTwoChoices().pick(0.0, [full, back], rng, SIZE) is back  # 1 x 21
