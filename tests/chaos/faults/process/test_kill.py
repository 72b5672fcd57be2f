"""`kill`: confirmed when the process is gone and its port refuses; verified when the new process is ready."""

from __future__ import annotations

import pytest

from chaos.faults.process.kill import Kill
from chaos.faults.world import FaultError
from chaos.testing.memory_world import MemoryWorld, play_life


async def test_the_replica_is_started_again_with_its_cold_start() -> None:
    world = MemoryWorld()
    fault = Kill.model_validate({"replica": "tpu-1", "cold_start": "4s"}).build("f1", ["tpu-1"], 7)
    assert await play_life(fault, world) is None  # only the analysis can count what it hit
    assert world.cold_starts == {"tpu-1": 4.0}
    assert fault.verify_within_s == 34


async def test_a_kill_is_not_confirmed_while_the_port_accepts_connections() -> None:
    class StillListening(MemoryWorld):
        async def accepts(self, name: str) -> bool:
            return True

    world = StillListening()
    fault = Kill.model_validate({"replica": "tpu-1"}).build("f1", ["tpu-1"], 7)
    await fault.inject(world)
    with pytest.raises(FaultError, match="not observed"):
        await fault.confirm(world)


async def test_a_running_replica_is_not_started() -> None:
    world = MemoryWorld()
    await Kill.model_validate({"pool": "tpu"}).build("f1", ["tpu-0"], 7).revert(world)
    assert world.cold_starts == {}


def test_its_parameters_are_named_as_in_the_record() -> None:
    assert Kill.model_validate({"pool": "tpu", "cold_start": "1m"}).params() == {"cold_start_s": 60}
