"""`flap`: down and up again and again, and up at the end, wherever it was cut short."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from chaos.faults.process.flap import Flap
from chaos.testing.memory_world import MemoryWorld


async def flapped(slept: int) -> MemoryWorld:
    """Held until it has slept so many times."""
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


async def test_it_is_down_for_what_is_not_its_duty_and_up_for_the_rest_of_the_period() -> None:
    world = await flapped(5)
    told = [(what, name) for what, name in world.log if what in ("kill", "start", "sleep")]
    down, up = ("sleep", "4.5"), ("sleep", "1.5")
    assert told[:9] == [
        ("kill", "tpu-1"),
        *(down, ("start", "tpu-1"), up, ("kill", "tpu-1")),
        *(down, ("start", "tpu-1"), up, ("kill", "tpu-1")),
    ]
    assert world.cold_starts == {"tpu-1": 1.0}


@pytest.mark.parametrize("slept", [1, 2, 3, 4])
async def test_wherever_it_is_cut_short_it_ends_up_and_well(slept: int) -> None:
    world = await flapped(slept)
    assert world.healthy
    assert world.armed == {}


@pytest.mark.parametrize("given", [{"period": "500ms"}, {"duty": "0%"}, {"duty": "100%"}, {}])
def test_nonsense_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Flap.model_validate({"pool": "tpu", **({} if "period" in given or not given else {"period": "6s"}), **given})
