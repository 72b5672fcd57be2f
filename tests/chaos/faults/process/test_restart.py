"""`restart`: terminated with notice, then started with a cold start."""

from __future__ import annotations

from chaos.faults.process.restart import Restart
from chaos.testing.memory_world import MemoryWorld, play_life


async def test_it_terminates_with_notice_and_starts_with_a_cold_start() -> None:
    world = MemoryWorld()
    spec = Restart.model_validate({"pool": "tpu", "grace": "3s", "cold_start": "12s"})
    await play_life(spec.build("f1", ["tpu-0", "tpu-1"], 7), world)
    assert world.grace_s == 3
    assert world.cold_starts == {"tpu-0": 12.0, "tpu-1": 12.0}
    assert world.armed == {}
    assert world.waits[-1][0] == 42  # its cold start, and 30 s for the process to start


def test_it_needs_no_duration_and_has_a_cold_start_by_default() -> None:
    spec = Restart.model_validate({"pool": "tpu"})
    assert not spec.needs_duration
    assert spec.cold_start_s == 10
    assert spec.params() == {"grace_s": 1.0, "cold_start_s": 10.0}
