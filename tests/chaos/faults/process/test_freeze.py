"""`freeze`: alive by the kernel's word, and silent."""

from __future__ import annotations

from chaos.faults.process.freeze import Freeze
from tests.support.fault_stage import MemoryStage


async def test_it_is_undone_by_a_signal_to_that_very_process() -> None:
    stage = MemoryStage()
    await Freeze.model_validate({"replica": "tpu-0"}).build("f1", ["tpu-0"], 7).inject(stage)
    assert stage.armed["f1"] == [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT"}]
    assert stage.states["tpu-0"] == "stopped"


async def test_one_that_died_while_frozen_is_neither_signalled_nor_waited_for() -> None:
    stage = MemoryStage()
    fault = Freeze.model_validate({"pool": "tpu"}).build("f1", ["tpu-0", "tpu-1"], 7)
    await fault.inject(stage)
    stage.states["tpu-0"] = "gone"
    await fault.revert(stage)
    await fault.verify(stage)
    assert [name for what, name in stage.log if what == "thaw"] == ["tpu-1"]
    assert stage.states == {**stage.states, "tpu-0": "gone", "tpu-1": "running"}
