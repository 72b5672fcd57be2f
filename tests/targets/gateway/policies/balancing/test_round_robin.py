"""Round robin, also in slow start."""

from __future__ import annotations

from random import Random

from targets.gateway.policies.balancing.round_robin import RoundRobin
from tests.support.candidates import SIZE, FakeCandidate


def test_round_robin_picks_each_candidate_in_turn() -> None:
    replicas = [FakeCandidate(name) for name in "abc"]
    policy, rng = RoundRobin(), Random(0)
    assert "".join(policy.pick(0.0, replicas, rng, SIZE).name for _ in range(7)) == "abcabca"


def test_round_robin_skips_a_replica_in_slow_start_by_its_weight() -> None:
    full, back = FakeCandidate("full", 9), FakeCandidate("back", 0, share=0.1)
    rng = Random(2)
    turns = [RoundRobin().pick(0.0, [back, full], rng, SIZE).name for _ in range(500)]
    assert 25 <= turns.count("back") <= 75
