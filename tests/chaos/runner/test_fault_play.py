"""A fault is reverted and verified whatever fails: the undo file, the record, a call of the world."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer

from chaos.faults.process.flap import Flap
from chaos.faults.process.kill import Kill
from chaos.faults.process.terminate import Terminate
from chaos.faults.replica.latency import Latency
from chaos.faults.spec import FaultSpec
from chaos.faults.world import Undo, offers_of
from chaos.runner.fault_play import REVERT_TRIES, FaultPlay, Played
from chaos.runner.record_writer import EventLog, RecordFull
from chaos.supervision.undo import UndoNotWritten
from chaos.testing.memory_world import MemoryWorld
from chaos.testing.mock_clock import run_in_virtual_time
from reports.shared.errors import TargetFailed


class Events(EventLog):
    """A record whose disk is full from the stage `full_from` on."""

    def __init__(self, path: Path, full_from: str = "") -> None:
        super().__init__(path)
        self.full_from = full_from
        self.full = False

    def write(self, event_type: str, /, *, at_ns: int | None = None, **fields: Any) -> int:
        self.full = self.full or fields["stage"] == self.full_from
        if self.full:
            raise RecordFull("the disk is full")
        return super().write(event_type, at_ns=at_ns, **fields)


class FailingWorld(MemoryWorld):
    """Raises `error` at the first `times` calls of `what`."""

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


def play_of(world: MemoryWorld, events: Events, spec: FaultSpec | None = None) -> FaultPlay:
    spec = spec or Kill.model_validate({"pool": "tpu"})
    return FaultPlay(
        spec.build("f1", ["tpu-0", "tpu-1"], 7),
        world,
        events,
        NoOpTracer(),
        pools=["tpu"],
        params={},
        share=None,
        only={},
        traits=spec.traits().recorded(),
        say=lambda text: None,
    )


async def play_and_end(play: FaultPlay) -> Played:
    """Play a fault whose revert is due immediately: it begins as soon as the fault is confirmed."""
    play.end()
    return await play.play()


async def test_without_a_written_undo_the_run_ends_without_injection(tmp_path: Path) -> None:
    world = FailingWorld("arm", UndoNotWritten("the disk is full"))
    with pytest.raises(TargetFailed):
        await play_and_end(play_of(world, Events(tmp_path / "events.jsonl")))
    assert world.healthy
    assert "kill" not in [what for what, _ in world.log]


@pytest.mark.parametrize("full_from", ["confirmed", "reverted", "verified"])
async def test_a_full_record_does_not_prevent_the_revert(tmp_path: Path, full_from: str) -> None:
    world = FailingWorld()
    play = play_of(world, Events(tmp_path / "events.jsonl", full_from))
    if full_from == "confirmed":
        with pytest.raises(RecordFull):
            await play_and_end(play)
    else:
        await play_and_end(play)
    assert world.healthy
    assert not world.armed
    assert play.played.verified


async def test_a_fault_is_verified_although_its_undo_cannot_be_marked_as_done(tmp_path: Path) -> None:
    world = FailingWorld("disarm", UndoNotWritten("the disk is full"))
    played = await play_and_end(play_of(world, Events(tmp_path / "events.jsonl")))
    assert world.healthy
    assert (played.verified, played.problem) == (True, "")


@pytest.mark.parametrize("error", [TargetFailed("port in use"), RuntimeError("unexpected"), LookupError("x")])
async def test_a_failed_revert_is_tried_again(tmp_path: Path, error: Exception) -> None:
    world = FailingWorld("start", error, times=2)  # both replicas of one try
    played = await play_and_end(play_of(world, Events(tmp_path / "events.jsonl")))
    assert world.healthy
    assert (played.verified, played.problem) == (True, "")


async def test_a_revert_that_always_fails_is_reported_and_recorded(tmp_path: Path) -> None:
    world = FailingWorld("start", TargetFailed("port in use"), times=2 * REVERT_TRIES)
    played = await play_and_end(play_of(world, Events(tmp_path / "events.jsonl")))
    assert (played.verified, played.stages[-1]) == (False, "failed")
    assert "could not be reverted: port in use" in played.problem


class OffLate(MemoryWorld):
    """After its removal, a behaviour is reported once more."""

    async def behaviours(self, name: str) -> dict[str, Any]:
        removed = ("remove_behaviour", name) in self.log
        again = removed and ("behaviours", "late") not in self.log
        if again:
            self.log.append(("behaviours", "late"))
        return {"f1": {}} if again else await super().behaviours(name)


async def test_a_revert_that_is_tried_again_counts_each_hit_once(tmp_path: Path) -> None:
    world = OffLate()
    spec = Latency.model_validate({"pool": "tpu", "delay": "1s"})
    played = await play_and_end(play_of(world, Events(tmp_path / "events.jsonl"), spec))
    assert played.stages.count("reverted") == 2
    assert (played.verified, played.hits) == (True, 2 * world.hits)


async def test_a_fault_that_cannot_go_on_ends_at_once(tmp_path: Path) -> None:
    world = FailingWorld("start", TargetFailed("no memory"), times=2)
    spec = Flap.model_validate({"pool": "tpu", "period": "2s"})
    play = play_of(world, Events(tmp_path / "events.jsonl"), spec)
    with pytest.raises(TargetFailed, match="no memory"):
        await asyncio.wait_for(play.play(), 5)
    assert world.healthy


async def test_an_injection_that_fails_unexpectedly_is_reverted(tmp_path: Path) -> None:
    world = FailingWorld("kill", RuntimeError("unexpected"), times=1)
    played = await play_and_end(play_of(world, Events(tmp_path / "events.jsonl")))
    assert world.healthy
    assert (played.confirmed, played.verified) == (False, True)
    assert "unexpected" in played.problem


async def test_a_target_that_does_not_offer_the_place_refuses_the_fault_without_undo(tmp_path: Path) -> None:
    world = MemoryWorld(offers=offers_of(own_replicas=False, own_gateway=False))
    played = await play_and_end(play_of(world, Events(tmp_path / "events.jsonl")))
    assert "kill needs replicas whose processes brownout starts, and this target has none" in played.problem
    assert "arm" not in [what for what, _ in world.log]
    assert (played.confirmed, played.verified) == (False, True)


class SlowToEnd(MemoryWorld):
    """Its replicas take `notice_s` seconds to end after SIGTERM."""

    def __init__(self, notice_s: float = 3600.0) -> None:
        super().__init__()
        self.notice_s = notice_s
        self.signalled = asyncio.Event()

    async def terminate(self, name: str, *, grace_s: float) -> None:
        self.signalled.set()
        await asyncio.sleep(self.notice_s)
        await super().terminate(name, grace_s=grace_s)


def terminate_play_of(world: MemoryWorld, folder: Path) -> FaultPlay:
    return play_of(world, Events(folder / "events.jsonl"), Terminate.model_validate({"pool": "tpu"}))


async def test_a_release_during_a_long_injection_reverts_immediately(tmp_path: Path) -> None:
    world = SlowToEnd()
    play = terminate_play_of(world, tmp_path)
    playing = asyncio.create_task(play.play())
    await world.signalled.wait()
    play.release()
    async with asyncio.timeout(5):
        played = await playing
    assert played.stages == ["injected", "reverted"]
    assert (played.confirmed, played.verified, played.problem) == (False, False, "")
    assert world.healthy


async def test_a_fault_that_is_released_before_its_begin_is_not_injected(tmp_path: Path) -> None:
    world = MemoryWorld()
    play = terminate_play_of(world, tmp_path)
    play.release()
    assert (await play.play()).stages == []
    assert world.log == []


def test_a_revert_due_during_the_injection_begins_at_the_confirmation(tmp_path: Path) -> None:
    async def scenario() -> tuple[Played, float]:
        play = terminate_play_of(SlowToEnd(notice_s=30.0), tmp_path)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        loop.call_later(10.0, play.end)
        return await play.play(), loop.time() - begun

    played, took_s = run_in_virtual_time(scenario())
    assert took_s == pytest.approx(30.0)
    assert played.stages == ["injected", "confirmed", "reverted", "verified"]


async def test_background_work_stops_before_the_revert(tmp_path: Path) -> None:
    world = MemoryWorld()
    play = play_of(world, Events(tmp_path / "events.jsonl"), Flap.model_validate({"pool": "tpu", "period": "6s"}))
    playing = asyncio.create_task(play.play())
    async with asyncio.timeout(5):
        while [what for what, _ in world.log].count("kill") <= 4:
            await asyncio.sleep(0)
    play.end()
    played = await playing
    assert played.verified
    assert world.healthy
    last_start = max(index for index, (what, _) in enumerate(world.log) if what == "start")
    assert "kill" not in [what for what, _ in world.log[last_start:]]


async def test_background_work_that_fails_is_reported_and_the_fault_reverted(tmp_path: Path) -> None:
    class Broken(MemoryWorld):
        slept = asyncio.Event()

        async def sleep(self, seconds: float) -> None:
            self.slept.set()
            raise RuntimeError("unexpected")

    world = Broken()
    play = play_of(world, Events(tmp_path / "events.jsonl"), Flap.model_validate({"pool": "tpu", "period": "6s"}))
    playing = asyncio.create_task(play.play())
    async with asyncio.timeout(5):
        await world.slept.wait()
    play.end()
    played = await playing
    assert "unexpected" in played.problem
    assert world.healthy
