"""Demand as a fault: what a file may say, what is ordered, how it ends with a load that does not answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from chaos.faults.catalogue import KINDS
from chaos.faults.load.demand import DemandSpec
from chaos.faults.load.surge import Surge
from chaos.faults.world import DemandState, FaultError, Unreachable
from chaos.testing.memory_world import MemoryWorld, play_life
from loadprofiles.demand import KINDS as ORDERS
from loadprofiles.demand import Order, demand_of
from loadprofiles.sessions.profile import Tenant
from loadprofiles.sessions.profile_file import load_profile

PROFILE = load_profile("coding-agent-ci")
WITH_TENANTS = replace(PROFILE, tenants=(Tenant("acme", 1), Tenant("bolt", 3)))
GIVEN = [
    ("surge", {"factor": 10}, {"factor": 10}),
    ("surge", {"factor": 10, "tenant": "acme"}, {"factor": 10, "tenant": "acme"}),
    ("surge", {"factor": 4, "shape": "decay", "half_life": "5s"}, {"factor": 4, "half_life_s": 5}),
    ("heavy_tenant", {"tenant": "acme", "share": "60%"}, {"tenant": "acme", "share": 0.6}),
    ("long_reasoning", {"factor": 50, "share": "3%"}, {"factor": 50, "share": 0.03}),
    ("retry_storm", {}, {}),
    ("retry_storm", {"timeout": "5s"}, {"timeout_s": 5}),
]


@pytest.mark.parametrize(("kind", "given", "params"), GIVEN)
async def test_what_a_file_says_is_an_order_that_the_load_understands(
    kind: str, given: dict[str, object], params: dict[str, object]
) -> None:
    spec = KINDS[kind].model_validate(given)
    assert (spec.params(), spec.select([], 7, "f1"), spec.requests_share) == (params, ["load"], None)
    world = MemoryWorld()
    fault = spec.build("f1", ["load"], 9)
    await fault.inject(world)
    assert world.orders == {"f1": Order("f1", kind, params, 9)}
    demand_of(world.orders["f1"])


def test_faults_and_orders_are_the_same_kinds() -> None:
    assert {kind for kind, spec in KINDS.items() if issubclass(spec, DemandSpec)} == set(ORDERS)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("surge", {}, "Field required"),
        ("surge", {"factor": 1}, "greater than 1"),
        ("surge", {"factor": "many"}, "valid number"),
        ("surge", {"factor": 2, "shape": "decay"}, "shape: decay needs a half-life"),
        ("surge", {"factor": 2, "half_life": "5s"}, "goes with shape: decay"),
        ("surge", {"factor": 2, "pool": "tpu"}, "Extra inputs"),
        ("heavy_tenant", {"tenant": "acme", "share": "100%"}, "below 100%"),
        ("heavy_tenant", {"share": "60%"}, "Field required"),
        ("long_reasoning", {"factor": 5, "share": "0%"}, "hits nothing"),
        ("retry_storm", {"timeout": "0s"}, "greater than 0"),
    ],
)
def test_a_file_that_says_nonsense_is_refused(kind: str, given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KINDS[kind].model_validate(given)


def mistakes(kind: str, given: dict[str, object], *, tenants: bool = True) -> list[tuple[str, str, str]]:
    spec = KINDS[kind].model_validate(given)
    assert isinstance(spec, DemandSpec)
    return list(spec.mistakes(WITH_TENANTS if tenants else PROFILE))


def test_a_tenant_that_the_profile_does_not_have_is_a_mistake() -> None:
    assert mistakes("surge", {"factor": 2}) == []
    assert mistakes("surge", {"factor": 2, "tenant": "acme"}) == []
    [(key, what, remedy)] = mistakes("surge", {"factor": 2, "tenant": "acne"})
    assert (key, what) == ("tenant", 'the profile coding-agent-ci has no tenant "acne"')
    assert "acme" in remedy
    [(_, what, _)] = mistakes("heavy_tenant", {"tenant": "acme", "share": "60%"}, tenants=False)
    assert what == "the profile coding-agent-ci has no tenants"


def test_a_tenant_that_has_that_share_already_is_a_mistake() -> None:
    assert mistakes("heavy_tenant", {"tenant": "bolt", "share": "80%"}) == []
    [(key, what, remedy)] = mistakes("heavy_tenant", {"tenant": "bolt", "share": "75%"})
    assert (key, what) == ("share", "bolt has 75% of the sessions of coding-agent-ci already")
    assert remedy == "make share: more than 75%"


async def test_its_hits_are_what_the_load_counted() -> None:
    world = MemoryWorld()
    assert await play_life(Surge(factor=2).build("f1", ["load"], 7), world) == 3


class Deaf(MemoryWorld):
    async def demand_state(self, fault_id: str) -> DemandState:
        raise Unreachable("locust")


async def test_with_a_load_that_is_gone_it_is_over_and_its_hits_are_not_known() -> None:
    world = Deaf()
    world.states["locust"] = "gone"
    fault = Surge(factor=2).build("f1", ["load"], 7)
    await fault.inject(world)
    assert await fault.revert(world) is None
    await fault.verify(world)
    assert world.armed == {}


async def test_with_a_load_that_runs_and_does_not_answer_it_is_not_taken_for_over() -> None:
    world = Deaf()
    world.states["locust"] = "running"
    fault = Surge(factor=2).build("f1", ["load"], 7)
    await fault.inject(world)
    with pytest.raises(FaultError, match="its effect remains"):
        await fault.verify(world)
