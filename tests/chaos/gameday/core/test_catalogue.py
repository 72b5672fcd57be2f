"""The faults that can be injected by hand, as the controls show them."""

from __future__ import annotations

from chaos.faults.world import EVERYWHERE, offers_of
from chaos.gameday.core.catalogue import fault_catalogue
from tests.support.exercises import REPLICAS, TENANTS

CATALOGUE = {one["kind"]: one for one in fault_catalogue(EVERYWHERE, REPLICAS, list(TENANTS))}


def keys(kind: str) -> dict[str, dict[str, object]]:
    return {key["name"]: key for key in CATALOGUE[kind]["keys"]}


def test_selectors_have_what_the_target_has_as_their_choices() -> None:
    assert keys("kill")["pool"]["choices"] == ["nvidia", "tpu", "trainium"]
    assert keys("kill")["replica"]["choices"] == [one.name for one in REPLICAS]
    assert keys("stuck_config")["replicas"]["choices"] == [one.name for one in REPLICAS]
    assert keys("heavy_tenant")["tenant"]["choices"] == list(TENANTS)


def test_a_key_has_its_choices_its_default_and_its_help() -> None:
    shape = keys("surge")["shape"]
    assert (shape["choices"], shape["default"], shape["required"]) == (["step", "decay"], "step", False)
    assert keys("surge")["factor"]["required"] is True
    assert keys("surge")["factor"]["help"] == "multiplies the profile's rate"
    assert keys("lying_health")["how"]["choices"]


def test_the_duration_of_a_fault_is_no_key_of_it() -> None:
    assert "for" not in keys("stall")


def test_only_what_the_target_offers_is_in_it() -> None:
    kinds = {one["where"] for one in fault_catalogue(offers_of(own_replicas=False, own_gateway=False), [], [])}
    assert kinds == {"load"}
