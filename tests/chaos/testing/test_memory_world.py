"""The target in memory: it implements the world, and fails at the requested call."""

from __future__ import annotations

import pytest

from chaos.faults.catalogue import KINDS
from chaos.faults.world import EVERYWHERE, FaultError, Unreachable, World
from chaos.runner.live_world import LiveWorld
from chaos.testing.memory_replica import ReplicaWorld
from chaos.testing.memory_world import REPLICAS, MemoryWorld, play_life


async def test_a_whole_life_is_played_and_leaves_nothing_behind() -> None:
    world = MemoryWorld()
    spec = KINDS["kill"].model_validate({"pool": "tpu", "cold_start": "3s"})
    assert await play_life(spec.build("f1", spec.select(REPLICAS, 7, "f1"), 7), world) is None
    assert world.healthy
    assert world.cold_starts == {"tpu-0": 3.0, "tpu-1": 3.0}
    assert [name for what, name in world.log if what == "kill"] == ["tpu-0", "tpu-1"]


@pytest.mark.parametrize("fail_after", [False, True])
async def test_a_call_fails_before_or_after_its_effect(fail_after: bool) -> None:
    world = MemoryWorld(0, fail_after=fail_after)
    with pytest.raises(FaultError, match="kill tpu-0 failed"):
        await world.kill("tpu-0")
    assert world.states["tpu-0"] == ("gone" if fail_after else "running")


async def test_the_control_port_of_a_frozen_replica_is_unreachable() -> None:
    world = MemoryWorld()
    await world.freeze("tpu-0")
    with pytest.raises(Unreachable):
        await world.behaviours("tpu-0")
    assert not world.healthy
    await world.thaw("tpu-0")
    assert world.healthy


async def test_a_false_condition_is_reported_without_waiting() -> None:
    async def never() -> bool:
        return False

    world = MemoryWorld()
    with pytest.raises(FaultError, match="what is waited for"):
        await world.until(never, 30.0, "what is waited for")
    assert world.waits == [(30.0, "what is waited for")]


def test_the_worlds_implement_the_protocol() -> None:
    members = [name for name in dir(World) if not name.startswith("_")] + list(World.__annotations__)
    assert {"kill", "add_behaviour", "order_demand", "arm", "until", "offers"} <= set(members)
    world: World = MemoryWorld()
    assert world.offers == EVERYWHERE
    for implementation in (LiveWorld, ReplicaWorld):
        assert [name for name in dir(World) if not name.startswith("_") and not hasattr(implementation, name)] == []
