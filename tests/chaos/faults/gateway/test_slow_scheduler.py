"""`slow_scheduler`: the parameters that are sent to the gateway's control port, what is refused, and its life."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from chaos.faults.behaviour import GatewayBehaviourFault
from chaos.faults.gateway.slow_scheduler import SlowScheduler
from chaos.testing.memory_world import MemoryWorld, play_life
from reports.shared.fault_traits import FaultTraits
from targets.gateway.behaviours.slow_scheduler import SlowScheduler as Behaviour


@pytest.mark.parametrize(
    ("given", "params"),
    [
        ({"delay": "50ms"}, {"ms": 50.0, "stall_s": 0.0}),
        ({"stall": "2s"}, {"ms": 0.0, "stall_s": 2.0}),
        ({"delay": "1.5s", "stall": "500ms"}, {"ms": 1500.0, "stall_s": 0.5}),
    ],
)
def test_delay_is_sent_in_milliseconds_and_stall_in_seconds(given: dict[str, Any], params: dict[str, Any]) -> None:
    sent = SlowScheduler.model_validate(given).params()
    assert sent == params
    behaviour = msgspec.convert(sent, Behaviour)
    assert (behaviour.decision_s, behaviour.stall_s) == (params["ms"] / 1000, params["stall_s"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "slows nothing down"),
        ({"delay": "0s", "stall": "0s"}, "slows nothing down"),
        ({"delay": "61s"}, "less than or equal to 60"),
        ({"stall": "601s"}, "less than or equal to 600"),
        ({"delay": "-1s"}, "cannot be negative"),
        ({"delay": "50ms", "pool": "tpu"}, "Extra inputs"),
        ({"delay": "50ms", "share": "30%"}, "Extra inputs"),
    ],
)
def test_an_invalid_entry_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SlowScheduler.model_validate(given)


def test_it_acts_on_the_gateway_alone() -> None:
    spec = SlowScheduler.model_validate({"delay": "50ms"})
    assert spec.traits() == FaultTraits("gateway")
    assert spec.select([], 7, "f1") == ["gateway"]
    assert (spec.requests_share, spec.requests_only, spec.changed_calls_share) == (None, {}, None)


def test_the_short_form_divides_the_stall_and_keeps_the_delay() -> None:
    assert (SlowScheduler.scaled_times, SlowScheduler.kept_times) == (("stall",), ("delay",))


async def test_its_behaviour_is_added_to_the_gateway_and_removed() -> None:
    world = MemoryWorld()
    fault = SlowScheduler.model_validate({"delay": "50ms"}).build("f1", ["gateway"], 7)
    assert isinstance(fault, GatewayBehaviourFault)
    await fault.inject(world)
    body = {"kind": "slow_scheduler", "params": {"ms": 50.0, "stall_s": 0.0}, "share": None, "seed": 7, "only": {}}
    assert world.behaviour_of == {**world.behaviour_of, "gateway": {"f1": body}}
    assert not any(world.behaviour_of[name] for name in world.replicas)
    await fault.confirm(world)
    assert await fault.revert(world) == world.hits
    await fault.verify(world)
    assert world.healthy
    assert world.armed == {}


async def test_its_whole_life_can_be_played_twice_in_one_world() -> None:
    world = MemoryWorld()
    for fault_id in ("f1.1", "f1.2"):
        fault = SlowScheduler.model_validate({"stall": "1s"}).build(fault_id, ["gateway"], 7)
        assert await play_life(fault, world) == world.hits
        assert world.healthy
