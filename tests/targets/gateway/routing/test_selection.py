"""Selection among eligible replicas: both placements of sessions without a usable home. No I/O."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from targets.gateway.config import Affinity, Balancing, Breaker, GatewayPolicies, Upstream
from targets.gateway.policies.balancing.affinity import Ring
from targets.gateway.policies.balancing.forecast import CallSize
from targets.gateway.routing.decisions import RoutedCall
from targets.gateway.routing.replica_state import ReplicaState
from targets.gateway.routing.selection import PLACEMENTS, ReplicaSelection

SIZE = CallSize(100, 100.0)
NAMES = [f"r{n}" for n in range(4)]


def select(placement: Any, **changes: Any) -> tuple[ReplicaSelection, dict[str, ReplicaState]]:
    policies = GatewayPolicies(
        affinity=Affinity(placement=placement), balancing=Balancing("least_outstanding"), **changes
    )
    replicas = {name: ReplicaState(Upstream(name, "p", f"http://{name}"), policies) for name in NAMES}
    return ReplicaSelection(policies, replicas, Random(1)), replicas


def test_the_ring_takes_the_next_replica_on_it_and_balancer_the_least_loaded() -> None:
    first, second = Ring(NAMES).order("s")[:2]
    for placement, expected in (("ring", (first, "new session: next on the ring")), ("balancer", (second, None))):
        selection, replicas = select(placement)
        for replica in replicas.values():
            replica.in_flight = 0 if replica.name == second else 1
        chosen, why = selection.pick(0.0, RoutedCall("s", 100), SIZE, list(replicas.values()), 3)
        assert (chosen.name, why) == (expected[0], expected[1] or "new session: least_outstanding")


@pytest.mark.parametrize("placement", list(PLACEMENTS))
def test_with_each_placement_a_half_open_breaker_is_probed_first(placement: str) -> None:
    selection, replicas = select(placement, breaker=Breaker(window_calls=1))
    last = Ring(NAMES).order("s")[-1]
    breaker = replicas[last].breaker
    assert breaker is not None
    breaker.leave(0.0, breaker.enter(), True)
    breaker.half_open("test")
    chosen, why = selection.pick(0.0, RoutedCall("s", 100), SIZE, list(replicas.values()), 0)
    assert (chosen.name, why) == (last, "new session: probe of a half-open breaker")
