"""What repairs a fault if its scenario does not say it: what would end it in the world."""

from __future__ import annotations

import pytest

from chaos.faults.catalogue import KINDS
from chaos.gameday.core.offer import Offer
from chaos.gameday.core.plan import Repair
from chaos.gameday.core.repairs import default_repairs, is_repaired
from tests.support.exercises import OFFER


def operations(kind: str, targets: tuple[str, ...] = ("tpu-0", "tpu-1"), **params: object) -> list[str]:
    return [
        " ".join([repair.operation, *repair.arguments.values()])
        for repair in default_repairs(kind, targets, params, OFFER)
    ]


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if spec.where in ("process", "replica")])
def test_a_fault_of_replicas_ends_when_each_of_them_is_restarted(kind: str) -> None:
    assert operations(kind) == ["restart tpu-0", "restart tpu-1"]


@pytest.mark.parametrize("kind", ["stuck_config", "slow_scheduler"])
def test_a_fault_inside_the_gateway_ends_when_it_is_restarted(kind: str) -> None:
    assert operations(kind, ("gateway",)) == ["restart_gateway"]


def test_the_demand_of_one_tenant_ends_when_its_tier_is_shed() -> None:
    assert operations("heavy_tenant", ("load",), tenant="hooli", share=0.6) == ["shed pay_as_you_go"]
    assert operations("surge", ("load",), tenant="tyrell", factor=3) == ["shed batch"]


def test_a_storm_of_retries_ends_with_less_load_or_fewer_retries() -> None:
    assert operations("retry_storm", ("load",)) == [
        *("shed subscription", "shed pay_as_you_go", "shed batch", "switch retries: off", "switch retries: budget"),
    ]


def test_real_demand_of_everybody_is_ended_by_no_operation() -> None:
    assert operations("surge", ("load",), factor=3) == []
    assert operations("long_reasoning", ("load",), factor=10) == []


def test_nothing_is_named_that_the_target_does_not_offer() -> None:
    assert default_repairs("heavy_tenant", ("load",), {"tenant": "hooli"}, Offer()) == ()
    assert default_repairs("retry_storm", ("load",), {}, Offer()) == ()


def test_each_operation_of_a_repair_is_enough_but_restarts_count_together() -> None:
    restarts = [Repair(operation="restart", arguments={"replica": name}) for name in ("tpu-0", "tpu-1")]
    drain = Repair(operation="drain", arguments={"pool": "tpu"})
    both = [*restarts, drain]
    assert not is_repaired(both, {"tpu-0"}, restarts[0])
    assert is_repaired(both, {"tpu-0", "tpu-1"}, restarts[0])
    assert is_repaired(both, set(), drain)
    assert not is_repaired(both, set(), Repair(operation="drain", arguments={"pool": "nvidia"}))
