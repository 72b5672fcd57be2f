"""Faults inside a replica: added over the control port, counted, removed, even if replicas die in between."""

from __future__ import annotations

import msgspec
import pytest
from pydantic import ValidationError

from chaos.faults.catalogue import KINDS
from chaos.faults.replica.cut import Cut
from chaos.faults.spec import OnRequests, OnStreams, WholeReplica
from chaos.faults.world import FaultError, Unreachable
from chaos.testing.memory_world import MemoryWorld
from targets.replica.behaviours import BEHAVIOURS
from targets.replica.behaviours.selector import RequestSelector
from tests.chaos.faults.test_base import SPECS


async def test_kind_parameters_share_and_seed_are_sent_to_the_replica() -> None:
    world = MemoryWorld()
    spec = Cut.model_validate({"pool": "tpu", "how": "fin", "share": "30%"})
    await spec.build("f2", ["tpu-0"], 9).inject(world)
    assert world.behaviour_of["tpu-0"] == {
        "f2": {"kind": "cut", "params": {"after_tokens": 0, "how": "fin"}, "share": 0.3, "seed": 9, "only": {}}
    }


async def test_hits_are_summed_over_replicas_and_kept_by_a_second_revert() -> None:
    world = MemoryWorld()
    fault = Cut.model_validate({"pool": "tpu", "how": "fin"}).build("f2", ["tpu-0", "tpu-1"], 9)
    await fault.inject(world)
    assert await fault.revert(world) == 6
    assert await fault.revert(world) == 6


async def test_a_replica_that_died_or_restarted_has_lost_the_behaviour() -> None:
    world = MemoryWorld()
    fault = Cut.model_validate({"pool": "tpu", "how": "fin"}).build("f2", ["tpu-0", "tpu-1"], 9)
    await fault.inject(world)
    await world.kill("tpu-0")
    assert await fault.revert(world) == 3  # the other replica's
    await fault.verify(world)
    assert world.armed == {}
    await world.start("tpu-0")
    assert await fault.revert(world) == 3


async def test_hits_are_unknown_if_no_replica_is_reachable() -> None:
    world = MemoryWorld()
    fault = Cut.model_validate({"pool": "tpu", "how": "fin"}).build("f2", ["tpu-0"], 9)
    await fault.inject(world)
    world.states["tpu-0"] = "stopped"
    assert await fault.revert(world) is None


async def test_a_running_replica_without_a_response_is_not_verified() -> None:
    class UnreachableReplicas(MemoryWorld):
        async def behaviours(self, name: str) -> dict[str, object]:
            raise Unreachable(name)

    fault = Cut.model_validate({"pool": "tpu", "how": "fin"}).build("f2", ["tpu-0"], 9)
    with pytest.raises(FaultError, match="its effect remains"):
        await fault.verify(UnreachableReplicas())


@pytest.mark.parametrize("kind", sorted(set(KINDS) & set(BEHAVIOURS)))
def test_the_replica_accepts_the_parameters_of_each_kind(kind: str) -> None:
    spec = KINDS[kind].model_validate(SPECS[kind])
    assert msgspec.convert(spec.params(), BEHAVIOURS[kind]) is not None
    assert msgspec.convert(spec.requests_only, RequestSelector) is not None


def test_kinds_and_behaviours_agree_on_requests_streams_and_whole_replicas() -> None:
    assert set(BEHAVIOURS) <= set(KINDS)
    for kind, behaviour in BEHAVIOURS.items():
        assert issubclass(KINDS[kind], WholeReplica) == behaviour.whole_replica, kind
        assert issubclass(KINDS[kind], OnRequests) != behaviour.whole_replica, kind
        assert not issubclass(KINDS[kind], OnStreams) or hasattr(behaviour, "act"), kind


async def test_selectors_of_requests_are_sent_to_the_replica() -> None:
    world = MemoryWorld()
    only = {"tenant": "acme", "header": {"x-beta": "1"}, "model": ["a", "b"], "after_requests": 50, "at_most": 3}
    spec = Cut.model_validate({"pool": "tpu", "how": "fin", "phase": "decode", **only})
    await spec.build("f2", ["tpu-0"], 9).inject(world)
    assert world.behaviour_of["tpu-0"]["f2"]["only"] == {**only, "tenant": ["acme"], "phase": "decode"}
    assert spec.requests_share is None


def test_tokens_before_a_fault_of_the_prefill_phase_are_refused() -> None:
    with pytest.raises(ValidationError, match="prefill ends with the first token"):
        Cut.model_validate({"pool": "tpu", "how": "fin", "phase": "prefill", "after_tokens": 3})
