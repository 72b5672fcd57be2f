"""`flap`: replicas are killed and started repeatedly, and run at the end, whenever the fault is cut short."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from chaos.faults.process.flap import Flap
from chaos.testing.memory_world import MemoryWorld


async def flapped(slept: int) -> MemoryWorld:
    """The world after a whole life of the fault, whose background work has slept `slept` times."""
    world = MemoryWorld()
    fault = Flap.model_validate({"replica": "tpu-1", "period": "6s", "duty": "25%", "cold_start": "1s"}).build(
        "f1", ["tpu-1"], 7
    )
    await fault.inject(world)
    await fault.confirm(world)
    holding = asyncio.ensure_future(fault.hold(world))
    async with asyncio.timeout(5):
        while [what for what, _ in world.log].count("sleep") < slept:
            await asyncio.sleep(0)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await fault.revert(world)
    await fault.verify(world)
    return world


async def test_the_replica_is_up_for_its_duty_share_of_each_period() -> None:
    world = await flapped(5)
    calls = [(what, name) for what, name in world.log if what in ("kill", "start", "sleep")]
    down, up = ("sleep", "4.5"), ("sleep", "1.5")
    assert calls[:9] == [
        ("kill", "tpu-1"),
        *(down, ("start", "tpu-1"), up, ("kill", "tpu-1")),
        *(down, ("start", "tpu-1"), up, ("kill", "tpu-1")),
    ]
    assert world.cold_starts == {"tpu-1": 1.0}


@pytest.mark.parametrize("slept", [1, 2, 3, 4])
async def test_the_replica_is_healthy_at_the_end_whenever_it_is_cut_short(slept: int) -> None:
    world = await flapped(slept)
    assert world.healthy
    assert world.armed == {}


@pytest.mark.parametrize("given", [{"period": "500ms"}, {"duty": "0%"}, {"duty": "100%"}, {}])
def test_a_missing_or_too_short_period_and_an_extreme_duty_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Flap.model_validate({"pool": "tpu", **({} if "period" in given or not given else {"period": "6s"}), **given})
