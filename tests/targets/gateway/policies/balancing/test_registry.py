"""The registry of balancing policies equals what a stack file may name, and each policy works."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from targets.gateway.config import Balancing
from targets.gateway.policies.balancing.registry import BALANCERS
from tests.support.candidates import SIZE, FakeCandidate
from tests.support.literals import literal_values


def test_each_balancing_kind_of_the_configuration_has_a_policy_and_the_reverse() -> None:
    assert set(BALANCERS) == literal_values(Balancing, "kind")


@pytest.mark.parametrize("kind", list(BALANCERS))
def test_each_policy_picks_a_candidate_and_gives_its_load(kind: Any) -> None:
    policy = BALANCERS[kind](Balancing(kind=kind))
    only = FakeCandidate("only", 3, outstanding_work_s=2.0, reported_load=1.0)
    only.latency.observe(0.0, 0.5)
    assert policy.pick(0.0, [only], Random(1), SIZE) is only
    expected = {"p2c": 2.0, "least_work": 2.0, "cheapest": 0.5, "reported_load": 1.0}  # the others count requests
    assert policy.load(0.0, only) == expected.get(kind, 3.0)
