"""What all faults of the load share: the order, its hits, and its end if the load generators do not respond."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.catalogue import KINDS
from chaos.faults.load.demand import DemandSpec
from chaos.faults.load.surge import Surge
from chaos.faults.world import DemandState, FaultError, Unreachable
from chaos.testing.memory_world import MemoryWorld, play_life
from loadprofiles.demand import KINDS as ORDERS
from tests.support.demand_orders import demand_spec, profile_mistakes


def test_faults_of_the_load_and_orders_are_the_same_kinds() -> None:
    assert {kind for kind, spec in KINDS.items() if issubclass(spec, DemandSpec)} == set(ORDERS)


def test_selectors_of_replicas_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        demand_spec("surge", {"factor": 2, "pool": "tpu"})


def test_a_tenant_that_the_profile_does_not_have_is_a_mistake() -> None:
    [(key, what, remedy)] = profile_mistakes(demand_spec("surge", {"factor": 2, "tenant": "acne"}))
    assert (key, what, remedy) == (
        "tenant",
        'the profile coding-agent-ci has no tenant "acne"',
        'did you mean "acme"?',
    )


@pytest.mark.parametrize(
    ("kind", "given"), [("surge", {"factor": 2, "tenant": "acme"}), ("heavy_tenant", {"tenant": "acme", "share": 0.6})]
)
def test_a_tenant_needs_a_profile_with_tenants(kind: str, given: dict[str, object]) -> None:
    assert profile_mistakes(demand_spec(kind, given), tenants=False) == [
        ("tenant", "the profile coding-agent-ci has no tenants", "give it some, or name a profile that has")
    ]


async def test_its_hits_are_those_that_the_load_generators_report() -> None:
    world = MemoryWorld()
    assert await play_life(Surge(factor=2).build("f1", ["load"], 7), world) == world.hits


class SilentLoad(MemoryWorld):
    """No load generator has reported recently."""

    async def demand_state(self, fault_id: str) -> DemandState:
        raise Unreachable("locust")


async def test_it_is_verified_with_unknown_hits_if_the_load_generators_are_gone() -> None:
    world = SilentLoad()
    world.states["locust"] = "gone"
    fault = Surge(factor=2).build("f1", ["load"], 7)
    await fault.inject(world)
    assert await fault.revert(world) is None
    await fault.verify(world)
    assert world.armed == {}


async def test_it_is_not_verified_while_running_load_generators_do_not_report() -> None:
    world = SilentLoad()
    world.states["locust"] = "running"
    fault = Surge(factor=2).build("f1", ["load"], 7)
    await fault.inject(world)
    with pytest.raises(FaultError, match="its effect remains"):
        await fault.verify(world)
