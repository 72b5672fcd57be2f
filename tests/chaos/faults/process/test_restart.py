"""`restart`: told beforehand, down for a while, and slow to come back."""

from __future__ import annotations

from chaos.faults.process.restart import Restart
from chaos.testing.memory_world import MemoryWorld, play_life


async def test_it_is_terminated_with_notice_and_started_cold() -> None:
    world = MemoryWorld()
    spec = Restart.model_validate({"pool": "tpu", "grace": "3s", "cold_start": "12s"})
    await play_life(spec.build("f1", ["tpu-0", "tpu-1"], 7), world)
    assert world.grace_s == 3
    assert world.cold_starts == {"tpu-0": 12.0, "tpu-1": 12.0}
    assert world.armed == {}
    assert world.waits[-1][0] == 42  # it may take its cold start and a process's time to be ready


def test_it_needs_no_duration_and_tells_its_cold_start() -> None:
    spec = Restart.model_validate({"pool": "tpu"})
    assert not spec.needs_duration
    assert spec.cold_start_s == 10
    assert spec.params() == {"grace_s": 1.0, "cold_start_s": 10.0}
