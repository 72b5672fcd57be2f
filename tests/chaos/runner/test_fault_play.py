"""A fault is reverted and seen to be well whatever fails: the undo file, the record, an error nobody thought of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer

from chaos.faults.base import Undo
from chaos.faults.process.flap import Flap
from chaos.faults.process.kill import Kill
from chaos.faults.process.terminate import Terminate
from chaos.runner.fault_play import REVERT_TRIES, FaultPlay
from chaos.runner.record_writer import EventLog, RecordFull
from chaos.supervision.undo import UndoNotWritten
from reports.shared.errors import TargetFailed
from tests.support.fault_stage import MemoryStage


class Events(EventLog):
    """Full from the stage named."""

    def __init__(self, path: Path, full_from: str = "") -> None:
        super().__init__(path)
        self.full_from = full_from
        self.full = False

    def write(self, event_type: str, /, *, at_ns: int | None = None, **fields: Any) -> int:
        self.full = self.full or fields["stage"] == self.full_from
        if self.full:
            raise RecordFull("the disk is full")
        return super().write(event_type, at_ns=at_ns, **fields)


class Stage(MemoryStage):
    """Fails at `what` with `error`, the first `times` times."""

    def __init__(self, what: str = "", error: Exception | None = None, times: int = 100) -> None:
        super().__init__()
        self.what, self.error, self.times = what, error, times

    def fail(self, what: str) -> None:
        if what == self.what and self.times > 0 and self.error is not None:
            self.times -= 1
            raise self.error

    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        self.fail("arm")
        await super().arm(fault_id, undo)

    async def disarm(self, fault_id: str) -> None:
        self.fail("disarm")
        await super().disarm(fault_id)

    async def kill(self, name: str) -> None:
        self.fail("kill")
        await super().kill(name)

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        self.fail("start")
        await super().start(name, cold_start_s=cold_start_s)


def play_of(stage: Stage, events: Events) -> FaultPlay:
    fault = Kill.model_validate({"pool": "tpu"}).build("f1", ["tpu-0", "tpu-1"], 7)
    return FaultPlay(
        fault, stage, events, NoOpTracer(), pools=["tpu"], params={}, share=None, only={}, say=lambda text: None
    )


async def test_an_undo_that_cannot_be_written_ends_the_run_and_breaks_nothing(tmp_path: Path) -> None:
    stage = Stage("arm", UndoNotWritten("the disk is full"))
    with pytest.raises(TargetFailed):
        await play_of(stage, Events(tmp_path / "events.jsonl")).play(0.0, asyncio.Event())
    assert stage.well
    assert "kill" not in [what for what, _ in stage.log]


@pytest.mark.parametrize("full_from", ["confirmed", "reverted", "verified"])
async def test_a_record_that_is_full_does_not_come_between_a_fault_and_its_revert(
    tmp_path: Path, full_from: str
) -> None:
    stage = Stage()
    play = play_of(stage, Events(tmp_path / "events.jsonl", full_from))
    if full_from == "confirmed":
        with pytest.raises(RecordFull):
            await play.play(0.0, asyncio.Event())
    else:
        await play.play(0.0, asyncio.Event())
    assert stage.well
    assert not stage.armed
    assert play.played.verified


async def test_a_fault_that_is_undone_is_verified_though_the_file_cannot_say_so(tmp_path: Path) -> None:
    stage = Stage("disarm", UndoNotWritten("the disk is full"))
    played = await play_of(stage, Events(tmp_path / "events.jsonl")).play(0.0, asyncio.Event())
    assert stage.well
    assert (played.verified, played.problem) == (True, "")


@pytest.mark.parametrize("error", [TargetFailed("port in use"), RuntimeError("nobody thought of it"), LookupError("x")])
async def test_a_revert_is_tried_again_whatever_failed(tmp_path: Path, error: Exception) -> None:
    stage = Stage("start", error, times=2)  # both replicas of one try
    played = await play_of(stage, Events(tmp_path / "events.jsonl")).play(0.0, asyncio.Event())
    assert stage.well
    assert (played.verified, played.problem) == (True, "")


async def test_a_revert_that_never_works_is_said_and_written_down(tmp_path: Path) -> None:
    stage = Stage("start", TargetFailed("port in use"), times=2 * REVERT_TRIES)
    played = await play_of(stage, Events(tmp_path / "events.jsonl")).play(0.0, asyncio.Event())
    assert (played.verified, played.stages[-1]) == (False, "failed")
    assert "could not be reverted: port in use" in played.problem


async def test_an_injection_that_breaks_unexpectedly_is_reverted(tmp_path: Path) -> None:
    stage = Stage("kill", RuntimeError("nobody thought of it"), times=1)
    played = await play_of(stage, Events(tmp_path / "events.jsonl")).play(0.0, asyncio.Event())
    assert stage.well
    assert (played.confirmed, played.verified) == (False, True)
    assert "nobody thought of it" in played.problem


class SlowToEnd(Stage):
    """A replica takes its whole notice to end, an hour here."""

    def __init__(self, notice_s: float = 3600.0) -> None:
        super().__init__()
        self.notice_s = notice_s
        self.told = asyncio.Event()

    async def terminate(self, name: str, *, grace_s: float) -> None:
        self.told.set()
        await asyncio.sleep(self.notice_s)
        await super().terminate(name, grace_s=grace_s)


def terminated(stage: Stage, folder: Path) -> FaultPlay:
    fault = Terminate.model_validate({"pool": "tpu"}).build("f1", ["tpu-0", "tpu-1"], 7)
    events = Events(folder / "events.jsonl")
    return FaultPlay(
        fault, stage, events, NoOpTracer(), pools=[], params={}, share=None, only={}, say=lambda text: None
    )


async def test_a_release_in_the_middle_of_a_long_injection_reverts_at_once(tmp_path: Path) -> None:
    stage, released = SlowToEnd(), asyncio.Event()
    playing = asyncio.create_task(terminated(stage, tmp_path).play(10.0, released))
    await stage.told.wait()
    released.set()
    async with asyncio.timeout(5):
        played = await playing
    assert played.stages == ["injected", "reverted", "verified"]
    assert (played.confirmed, played.verified, played.problem) == (False, True, "")
    assert stage.well
    assert not stage.armed


async def test_the_time_that_an_injection_takes_is_part_of_the_faults(tmp_path: Path) -> None:
    stage = SlowToEnd(notice_s=0.3)
    begun = asyncio.get_running_loop().time()
    played = await terminated(stage, tmp_path).play(0.5, asyncio.Event())
    assert 0.5 <= asyncio.get_running_loop().time() - begun < 0.75
    assert played.confirmed


async def test_a_fault_that_goes_on_while_it_is_held_is_stopped_before_its_revert(tmp_path: Path) -> None:
    stage = Stage()
    fault = Flap.model_validate({"pool": "tpu", "period": "6s"}).build("f1", ["tpu-0", "tpu-1"], 7)
    events = Events(tmp_path / "events.jsonl")
    play = FaultPlay(
        fault, stage, events, NoOpTracer(), pools=[], params={}, share=None, only={}, say=lambda text: None
    )
    played = await play.play(0.1, asyncio.Event())
    assert played.verified
    assert stage.well
    assert [what for what, _ in stage.log].count("kill") > 4
    last_start = max(index for index, (what, _) in enumerate(stage.log) if what == "start")
    assert "kill" not in [what for what, _ in stage.log[last_start:]]


async def test_a_fault_that_breaks_while_it_is_held_is_reverted_and_says_so(tmp_path: Path) -> None:
    class Broken(Stage):
        async def sleep(self, seconds: float) -> None:
            raise RuntimeError("nobody thought of it")

    stage = Broken()
    fault = Flap.model_validate({"pool": "tpu", "period": "6s"}).build("f1", ["tpu-0", "tpu-1"], 7)
    events = Events(tmp_path / "events.jsonl")
    play = FaultPlay(
        fault, stage, events, NoOpTracer(), pools=[], params={}, share=None, only={}, say=lambda text: None
    )
    played = await play.play(0.1, asyncio.Event())
    assert "nobody thought of it" in played.problem
    assert stage.well
