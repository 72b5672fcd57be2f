"""Peak EWMA, power of two choices, round robin, least outstanding, also in slow start: exact numbers."""

from __future__ import annotations

from math import e, exp
from random import Random

import pytest

from targets.gateway.policies.balancing.least_outstanding import LeastOutstanding
from targets.gateway.policies.balancing.p2c import PowerOfTwoChoices
from targets.gateway.policies.balancing.peak_ewma import PeakEwma
from targets.gateway.policies.balancing.round_robin import RoundRobin
from tests.support.candidates import SIZE, FakeCandidate


def test_peak_ewma_rises_at_once_and_falls_slowly() -> None:
    ewma = PeakEwma(10.0)
    ewma.observe(0.0, 1.0)
    assert ewma.cost(0.0) == 1.0
    ewma.observe(0.0, 3.0)
    assert ewma.cost(0.0) == 3.0
    ewma.observe(10.0, 1.0)
    assert ewma.cost(10.0) == pytest.approx(3.0 / e + (1 - 1 / e) * 1.0)


def test_peak_ewma_forgets_while_nothing_is_measured() -> None:
    ewma = PeakEwma(10.0)
    ewma.observe(0.0, 2.0)
    assert ewma.cost(20.0) == pytest.approx(2.0 * exp(-2))
    assert ewma.load(0.0, 3) == 8.0


def test_an_unmeasured_replica_is_tried_once_and_then_held_back() -> None:
    ewma = PeakEwma(10.0)
    assert ewma.load(0.0, 0) == 0.0
    assert ewma.load(0.0, 1) > 1000.0


def test_two_choices_take_the_one_with_less_load() -> None:
    slow, fast = FakeCandidate("slow"), FakeCandidate("fast")
    slow.latency.observe(0.0, 1.0)
    fast.latency.observe(0.0, 0.1)
    policy, rng = PowerOfTwoChoices(), Random(1)
    assert all(policy.pick(0.0, [slow, fast], rng, SIZE) is fast for _ in range(50))
    fast.in_flight = 20  # 0.1 x 21 > 1.0 x 1
    assert policy.pick(0.0, [slow, fast], rng, SIZE) is slow
    assert policy.load(0.0, fast) == pytest.approx(2.1)


def test_two_choices_never_draw_the_same_one_twice_and_reach_all() -> None:
    replicas = [FakeCandidate(str(n)) for n in range(4)]
    for n, replica in enumerate(replicas):
        replica.latency.observe(0.0, 1.0 + n)
    rng = Random(7)
    picks = [PowerOfTwoChoices().pick(0.0, replicas, rng, SIZE).name for _ in range(600)]
    assert picks.count("3") == 0  # the worst never wins against another
    assert 250 < picks.count("0") < 350  # the best wins every draw it is in: half of them
    assert PowerOfTwoChoices().pick(0.0, replicas[:1], rng, SIZE).name == "0"


def test_round_robin_takes_each_in_turn() -> None:
    replicas = [FakeCandidate(name) for name in "abc"]
    policy, rng = RoundRobin(), Random(0)
    assert "".join(policy.pick(0.0, replicas, rng, SIZE).name for _ in range(7)) == "abcabca"


def test_least_outstanding_takes_the_idlest_and_breaks_ties_by_lot() -> None:
    replicas = [FakeCandidate("a", 2), FakeCandidate("b", 1), FakeCandidate("c", 1)]
    policy, rng = LeastOutstanding(), Random(3)
    assert {policy.pick(0.0, replicas, rng, SIZE).name for _ in range(40)} == {"b", "c"}
    assert policy.load(0.0, replicas[0]) == 2.0


def test_a_replica_in_slow_start_counts_as_more_loaded_than_it_is() -> None:
    full, back = FakeCandidate("full", 9), FakeCandidate("back", 0, share=0.1)
    for replica in (full, back):
        replica.latency.observe(0.0, 1.0)
    rng = Random(2)
    back.in_flight = 1  # 1 x 2 / 0.1 = 20 against 1 x 10
    assert PowerOfTwoChoices().pick(0.0, [full, back], rng, SIZE) is full
    back.in_flight = 0
    assert LeastOutstanding().pick(0.0, [full, back], rng, SIZE).name in ("full", "back")  # 9 against (0 + 1) / 0.1 - 1
    full.in_flight = 8
    assert LeastOutstanding().pick(0.0, [full, back], rng, SIZE) is full
    turns = [RoundRobin().pick(0.0, [back, full], rng, SIZE).name for _ in range(500)]
    assert 25 <= turns.count("back") <= 75
