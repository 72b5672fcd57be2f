"""`stuck_config`: the parameters that are sent to the gateway's control port, what is refused, and its life."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from chaos.faults.behaviour import GatewayBehaviourFault
from chaos.faults.gateway.stuck_config import StuckConfig
from chaos.testing.memory_world import REPLICAS, MemoryWorld
from reports.shared.fault_traits import FaultTraits
from targets.gateway.behaviours.stuck_config import StuckConfig as Behaviour


@pytest.mark.parametrize(("given", "names"), [("tpu-0", ["tpu-0"]), (["tpu-0", "nvidia-1"], ["tpu-0", "nvidia-1"])])
def test_one_name_or_a_list_of_names_is_sent_as_a_list(given: object, names: list[str]) -> None:
    params = StuckConfig.model_validate({"replicas": given}).params()
    assert params == {"replicas": names}
    assert msgspec.convert(params, Behaviour).health_ignored_of == set(names)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Field required"),
        ({"replicas": []}, "at least 1 item"),
        ({"replicas": "tpu-0", "count": "one"}, "Extra inputs"),
        ({"replicas": "tpu-0", "share": "30%"}, "Extra inputs"),
    ],
)
def test_an_invalid_entry_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StuckConfig.model_validate(given)


def test_unknown_replicas_are_reported_with_those_of_the_stack() -> None:
    spec = StuckConfig.model_validate({"replicas": ["tpu-0", "tpu-9", "moon"]})
    assert spec.unknown_replicas(REPLICAS) == [
        ("replicas", 'the stack has no replica "tpu-9"', 'did you mean "tpu-1"?'),
        (
            "replicas",
            'the stack has no replica "moon"',
            "it is one of: nvidia-0, nvidia-1, tpu-0, tpu-1, trainium-0, trainium-1",
        ),
    ]
    assert StuckConfig.model_validate({"replicas": "trainium-1"}).unknown_replicas(REPLICAS) == []


def test_it_acts_on_the_gateway_alone_though_it_names_replicas() -> None:
    spec = StuckConfig.model_validate({"replicas": "tpu-0"})
    assert spec.traits() == FaultTraits("gateway")
    assert spec.select(REPLICAS, 7, "f1") == ["gateway"]
    assert (spec.requests_share, spec.requests_only, spec.changed_calls_share) == (None, {}, None)


async def test_its_behaviour_is_added_to_the_gateway_and_removed() -> None:
    world = MemoryWorld()
    fault = StuckConfig.model_validate({"replicas": "tpu-0"}).build("f1", ["gateway"], 7)
    assert isinstance(fault, GatewayBehaviourFault)
    await fault.inject(world)
    body = {"kind": "stuck_config", "params": {"replicas": ["tpu-0"]}, "share": None, "seed": 7, "only": {}}
    assert world.behaviour_of["gateway"] == {"f1": body}
    assert not any(world.behaviour_of[name] for name in world.replicas)
    await fault.confirm(world)
    assert await fault.revert(world) == world.hits
    await fault.verify(world)
    assert world.healthy
    assert world.armed == {}
