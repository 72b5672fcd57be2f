"""`terminate`: SIGTERM with notice, then SIGKILL; the replacement has a cold start."""

from __future__ import annotations

from chaos.faults.process.terminate import Terminate
from chaos.testing.memory_world import MemoryWorld, play_life


async def test_it_terminates_with_notice_and_starts_a_replacement_with_a_cold_start() -> None:
    world = MemoryWorld()
    spec = Terminate.model_validate({"pool": "tpu", "notice": "5s", "cold_start": "12s"})
    await play_life(spec.build("f1", ["tpu-0", "tpu-1"], 7), world)
    assert world.grace_s == 5
    assert world.cold_starts == {"tpu-0": 12.0, "tpu-1": 12.0}
    assert world.healthy


def test_its_parameters_are_named_as_in_the_record() -> None:
    spec = Terminate.model_validate({"pool": "tpu"})
    assert spec.params() == {"notice_s": 30.0, "cold_start_s": 10.0}
    assert (spec.cold_start_s, spec.stops_process, spec.needs_duration) == (10, True, True)
