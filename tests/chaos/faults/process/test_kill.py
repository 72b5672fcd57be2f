"""`kill`: dead when its process is gone and its port refuses; back when it is ready."""

from __future__ import annotations

import pytest

from chaos.faults.base import FaultError
from chaos.faults.process.kill import Kill
from tests.support.fault_stage import MemoryStage, live


async def test_it_is_started_again_with_its_cold_start() -> None:
    stage = MemoryStage()
    fault = Kill.model_validate({"replica": "tpu-1", "cold_start": "4s"}).build("f1", ["tpu-1"], 7)
    assert await live(fault, stage) is None  # what it hit, only the analysis can tell
    assert stage.cold_starts == {"tpu-1": 4.0}
    assert fault.healed_within_s == 34


async def test_a_process_that_is_gone_while_its_port_answers_is_not_taken_for_killed() -> None:
    class StillListening(MemoryStage):
        async def accepts(self, name: str) -> bool:
            return True

    stage = StillListening()
    fault = Kill.model_validate({"replica": "tpu-1"}).build("f1", ["tpu-1"], 7)
    await fault.inject(stage)
    with pytest.raises(FaultError, match="cannot be seen"):
        await fault.confirm(stage)


async def test_a_replica_that_lives_is_not_started() -> None:
    stage = MemoryStage()
    await Kill.model_validate({"pool": "tpu"}).build("f1", ["tpu-0"], 7).revert(stage)
    assert stage.cold_starts == {}


def test_its_parameters_are_named_as_in_the_record() -> None:
    assert Kill.model_validate({"pool": "tpu", "cold_start": "1m"}).params() == {"cold_start_s": 60}
