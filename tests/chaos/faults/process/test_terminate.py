"""`terminate`: told beforehand, gone when its process is, replaced by one that starts cold."""

from __future__ import annotations

from chaos.faults.process.terminate import Terminate
from chaos.testing.memory_world import MemoryWorld, play_life


async def test_it_gets_its_notice_and_a_replacement_that_starts_cold() -> None:
    world = MemoryWorld()
    spec = Terminate.model_validate({"pool": "tpu", "notice": "5s", "cold_start": "12s"})
    await play_life(spec.build("f1", ["tpu-0", "tpu-1"], 7), world)
    assert world.grace_s == 5
    assert world.cold_starts == {"tpu-0": 12.0, "tpu-1": 12.0}
    assert world.healthy


class Deaf(MemoryWorld):
    """Replicas go on after a SIGTERM."""

    async def terminate(self, name: str, *, grace_s: float) -> None:
        self._step("terminate", name)


async def test_one_that_was_told_and_has_not_ended_is_killed_before_its_replacement_starts() -> None:
    world = Deaf()
    fault = Terminate.model_validate({"pool": "tpu"}).build("f1", ["tpu-0"], 7)
    await fault.inject(world)
    await fault.revert(world)
    assert [what for what, _ in world.log if what in ("terminate", "kill", "start")] == ["terminate", "kill", "start"]
    await fault.revert(world)  # the replacement is left alone
    assert [what for what, _ in world.log].count("kill") == 1


def test_its_parameters_are_named_as_in_the_record() -> None:
    spec = Terminate.model_validate({"pool": "tpu"})
    assert spec.params() == {"notice_s": 30.0, "cold_start_s": 10.0}
    assert (spec.cold_start_s, spec.stops_process, spec.needs_duration) == (10, True, True)
