"""`terminate`: told beforehand, gone when its process is, replaced by one that starts cold."""

from __future__ import annotations

from chaos.faults.process.terminate import Terminate
from tests.support.fault_stage import MemoryStage, live


async def test_it_gets_its_notice_and_a_replacement_that_starts_cold() -> None:
    stage = MemoryStage()
    spec = Terminate.model_validate({"pool": "tpu", "notice": "5s", "cold_start": "12s"})
    await live(spec.build("f1", ["tpu-0", "tpu-1"], 7), stage)
    assert stage.grace_s == 5
    assert stage.cold_starts == {"tpu-0": 12.0, "tpu-1": 12.0}
    assert stage.well


class Deaf(MemoryStage):
    """Replicas go on after a SIGTERM."""

    async def terminate(self, name: str, *, grace_s: float) -> None:
        self._step("terminate", name)


async def test_one_that_was_told_and_has_not_ended_is_killed_before_its_replacement_starts() -> None:
    stage = Deaf()
    fault = Terminate.model_validate({"pool": "tpu"}).build("f1", ["tpu-0"], 7)
    await fault.inject(stage)
    await fault.revert(stage)
    assert [what for what, _ in stage.log if what in ("terminate", "kill", "start")] == ["terminate", "kill", "start"]
    await fault.revert(stage)  # the replacement is left alone
    assert [what for what, _ in stage.log].count("kill") == 1


def test_its_parameters_are_named_as_in_the_record() -> None:
    spec = Terminate.model_validate({"pool": "tpu"})
    assert spec.params() == {"notice_s": 30.0, "cold_start_s": 10.0}
    assert (spec.cold_start_s, spec.stops_process, spec.needs_duration) == (10, True, True)
