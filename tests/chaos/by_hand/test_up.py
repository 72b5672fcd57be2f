"""A stack that is up: what ends it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chaos.by_hand.up import Up
from chaos.experiment.model import load_experiment
from chaos.runner.record_writer import RunFolder
from tests.support.run_helpers import write_experiment


async def test_a_watch_that_crashes_ends_the_stack(tmp_path: Path) -> None:
    async def crashes() -> None:
        raise ArithmeticError("1 / 0")

    experiment = load_experiment(write_experiment(tmp_path))
    up = Up(experiment, RunFolder(tmp_path / "runs", "x"), lambda text: None, front="none", gateway_port=0)
    watching = asyncio.create_task(crashes())
    await asyncio.wait([watching])
    up._watch_ended(watching)
    (reason,) = up.early.reasons
    assert (reason.exit_code, "the watch over the stack crashed" in reason.why) == (5, True)
