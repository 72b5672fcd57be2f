"""What people can choose depends on the stack and the load."""

from __future__ import annotations

import pytest

from chaos.gameday.scenario.offers import offer_for
from loadprofiles.sessions.profile_file import load_profile
from targets.stack import load_stack


def test_the_offer_has_every_replica_pool_cloud_and_tenant() -> None:
    offer = offer_for(load_stack("multi-cloud"), load_profile("busy-tenants-ci"), own_gateway=True)
    ids = [name for name, _ in offer.components]
    assert ids[:3] == ["gateway", "load", "replica:nvidia-0"]
    assert {"pool:tpu", "cloud:gcp", "tenant:hooli"} <= set(ids)
    assert offer.tenants["hooli"] == "pay_as_you_go"
    assert offer.choices("shed") == ("subscription", "pay_as_you_go", "batch")
    assert offer.choices("drain") == ("nvidia", "tpu", "trainium")
    assert "retries: off" in offer.choices("switch")
    assert "chat" in offer.profiles
    assert {one["kind"] for one in offer.catalogue} >= {"kill", "surge", "slow_scheduler"}


def test_the_pools_in_reserve_can_be_added() -> None:
    offer = offer_for(load_stack("game-day"), load_profile("game-day"), own_gateway=True)
    assert offer.choices("add_pool") == ("spare",)
    assert "spare-0" in offer.choices("restart")
    assert "pool:spare" in dict(offer.components)
    kill = next(one for one in offer.catalogue if one["kind"] == "kill")
    pools = next(key for key in kill["keys"] if key["name"] == "pool")
    assert pools["choices"] == ["nvidia", "tpu", "trainium"], "what does not run cannot be hit"


@pytest.mark.parametrize(("stack", "own"), [("game-day", True), ("multi-cloud", True), ("game-day", False)])
def test_the_same_operations_are_offered_whatever_the_stack(stack: str, own: bool) -> None:
    found = offer_for(load_stack(stack), load_profile("game-day"), own_gateway=own).operations
    assert [one.id for one in found] == ["restart", "restart_gateway", "drain", "shed", "switch", "add_pool"]
    assert [one.possible for one in found] == [True, own, own, own, own, own and stack == "game-day"]
