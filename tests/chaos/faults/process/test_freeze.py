"""`freeze`: the process exists but does not run."""

from __future__ import annotations

from chaos.faults.process.freeze import Freeze
from chaos.testing.memory_world import MemoryWorld


async def test_its_undo_is_sigcont_to_the_frozen_process() -> None:
    world = MemoryWorld()
    await Freeze.model_validate({"replica": "tpu-0"}).build("f1", ["tpu-0"], 7).inject(world)
    assert world.armed["f1"] == [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT"}]
    assert world.states["tpu-0"] == "stopped"


async def test_a_process_that_died_while_frozen_is_not_signalled_nor_waited_for() -> None:
    world = MemoryWorld()
    fault = Freeze.model_validate({"pool": "tpu"}).build("f1", ["tpu-0", "tpu-1"], 7)
    await fault.inject(world)
    world.states["tpu-0"] = "gone"
    await fault.revert(world)
    await fault.verify(world)
    assert [name for what, name in world.log if what == "thaw"] == ["tpu-1"]
    assert world.states == {**world.states, "tpu-0": "gone", "tpu-1": "running"}
