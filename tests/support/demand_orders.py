"""Faults of the load as a file gives them: the order that the load generators get, and mistakes with the profile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chaos.faults.catalogue import KINDS
from chaos.faults.load.demand import DemandSpec
from chaos.testing.memory_world import MemoryWorld
from loadprofiles.demand import Order, demand_of
from loadprofiles.sessions.profile import Tenant
from loadprofiles.sessions.profile_file import load_profile

PROFILE = load_profile("coding-agent-ci")
WITH_TENANTS = replace(PROFILE, tenants=(Tenant("acme", 1), Tenant("bolt", 3)))


def demand_spec(kind: str, given: dict[str, Any]) -> DemandSpec:
    """The spec of a fault of the load. Raises pydantic's ValidationError where `given` is refused."""
    spec = KINDS[kind].model_validate(given)
    assert isinstance(spec, DemandSpec)
    return spec


async def ordered(spec: DemandSpec) -> Order:
    """The order that the fault injects; the load generators accept it."""
    assert (spec.select([], 7, "f1"), spec.requests_share) == (["load"], None)
    world = MemoryWorld()
    await spec.build("f1", ["load"], 9).inject(world)
    (order,) = world.orders.values()
    demand_of(order)
    return order


def profile_mistakes(spec: DemandSpec, *, tenants: bool = True) -> list[tuple[str, str, str]]:
    """What does not match the profile, with the tenants acme (25 %) and bolt (75 %), or without tenants."""
    return list(spec.mistakes(WITH_TENANTS if tenants else PROFILE))
