"""`restart`: told beforehand, down for a while, and slow to come back."""

from __future__ import annotations

from chaos.faults.process.restart import Restart
from tests.support.fault_stage import MemoryStage, live


async def test_it_is_terminated_with_notice_and_started_cold() -> None:
    stage = MemoryStage()
    spec = Restart.model_validate({"pool": "tpu", "grace": "3s", "cold_start": "12s"})
    await live(spec.build("f1", ["tpu-0", "tpu-1"], 7), stage)
    assert stage.grace_s == 3
    assert stage.cold_starts == {"tpu-0": 12.0, "tpu-1": 12.0}
    assert stage.armed == {}
    assert stage.waits[-1][0] == 42  # it may take its cold start and a process's time to be ready


def test_it_needs_no_duration_and_tells_its_cold_start() -> None:
    spec = Restart.model_validate({"pool": "tpu"})
    assert not spec.needs_duration
    assert spec.cold_start_s == 10
    assert spec.params() == {"grace_s": 1.0, "cold_start_s": 10.0}
