"""A run that is over releases its faults: each kind ends in its time, whatever it does then, and is settled after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer

from chaos.faults.catalogue import KINDS
from chaos.faults.process.kill import Kill
from chaos.faults.spec import FaultSpec
from chaos.runner.fault_play import FaultPlay, Played
from chaos.runner.record_writer import EventLog
from chaos.testing.memory_world import REPLICAS, MemoryWorld
from chaos.testing.mock_clock import run_in_virtual_time
from tests.chaos.faults.test_base import SPECS

CALLS = (
    *("kill", "terminate", "sleep", "freeze", "thaw", "start", "state", "accepts", "ready"),
    *("add_behaviour", "remove_behaviour", "behaviours", "order_demand", "cancel_demand", "demand_state", "arm"),
    "run_command",
)
"""The calls of a world that a fault may wait for. `disarm` only writes a file."""


class HangingWorld(MemoryWorld):
    """Call number `hang_at` never returns, and with `for_ever` no call after it."""

    def __init__(self, hang_at: int | None = None, *, for_ever: bool = False) -> None:
        super().__init__()
        self.calls = 0
        self.hanging = asyncio.Event()
        self.hang_at, self.for_ever = hang_at, for_ever

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in CALLS:
            return value

        async def call(*arguments: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            hangs = self.hang_at is not None and (number >= self.hang_at if self.for_ever else number == self.hang_at)
            if hangs:
                self.hanging.set()
                await asyncio.Event().wait()
            return await value(*arguments, **options)

        return call


def play_of(world: MemoryWorld, spec: FaultSpec, folder: Path) -> FaultPlay:
    return FaultPlay(
        spec.build("f1", spec.select(REPLICAS, 7, "f1"), 7),
        world,
        EventLog(folder / "events.jsonl"),
        NoOpTracer(),
        pools=[],
        params={},
        share=None,
        only={},
        traits=spec.traits().recorded(),
        say=lambda text: None,
    )


def spec_of(kind: str) -> FaultSpec:
    return KINDS[kind].model_validate(SPECS[kind])


@cache
def calls_of(kind: str) -> int:
    """How many calls of the world a whole life has."""

    async def life() -> int:
        world = HangingWorld()
        fault = spec_of(kind).build("f1", spec_of(kind).select(REPLICAS, 7, "f1"), 7)
        await fault.inject(world)
        await fault.confirm(world)
        await fault.revert(world)
        await fault.verify(world)
        return world.calls

    return run_in_virtual_time(life())


def released_while_hanging(kind: str, number: int, folder: Path, *, for_ever: bool) -> tuple[Played, float]:
    """Release a fault while call `number` hangs. Returns how it was played, and how long the release took."""

    async def scenario() -> tuple[Played, float]:
        world = HangingWorld(number, for_ever=for_ever)
        play = play_of(world, spec_of(kind), folder)
        playing = asyncio.create_task(play.play())
        play.end()  # so that it goes through its whole life
        await world.hanging.wait()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        play.release()
        await playing
        took_s = loop.time() - begun
        await play.settle(lambda target: True)
        play.settle_command("shepherd")
        return play.played, took_s

    return run_in_virtual_time(scenario())


@pytest.mark.parametrize("for_ever", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_release_ends_each_kind_in_every_step_of_its_life(kind: str, for_ever: bool, tmp_path: Path) -> None:
    assert calls_of(kind) >= 4
    least_s = spec_of(kind).build("f1", ["tpu-0"], 7).last_revert_within_s
    assert least_s == 1.0 or kind == "exec"
    for number in range(calls_of(kind)):
        played, took_s = released_while_hanging(kind, number, tmp_path, for_ever=for_ever)
        assert took_s <= least_s, number
        assert played.stages[0] == "injected"
        assert played.stages[-1] == "verified", number
        assert "reverted" in played.stages
        assert (played.verified, played.problem) == (True, "")


Has = Callable[[str], bool]


async def settled(world: MemoryWorld, folder: Path, has_ended: Has, *, released: bool = True) -> FaultPlay:
    """A kill that was released while it was active, and then settled."""
    play = play_of(world, Kill.model_validate({"pool": "tpu"}), folder)
    playing = asyncio.create_task(play.play())
    while not play.played.confirmed:
        await asyncio.sleep(0)
    if released:
        play.release()
    else:
        play.end()
    await playing
    await play.settle(has_ended)
    return play


async def test_a_fault_is_verified_and_disarmed_when_its_targets_have_ended(tmp_path: Path) -> None:
    world = MemoryWorld()
    play = await settled(world, tmp_path, lambda target: True)
    assert play.played.stages == ["injected", "confirmed", "reverted", "verified"]
    assert not play.active
    assert not world.armed
    assert '"how":"its targets have ended"' in (tmp_path / "events.jsonl").read_text().replace(": ", ":")


async def test_a_target_that_did_not_end_is_named_and_its_fault_stays_armed(tmp_path: Path) -> None:
    world = MemoryWorld()
    play = await settled(world, tmp_path, lambda target: target != "tpu-1")
    assert play.played.problem == "fault f1 (kill) could not be reverted: tpu-1 did not end"
    assert play.active
    assert world.armed


async def test_a_fault_that_was_verified_before_is_left_alone(tmp_path: Path) -> None:
    play = await settled(MemoryWorld(), tmp_path, lambda target: False, released=False)
    assert play.played.stages == ["injected", "confirmed", "reverted", "verified"]
    assert play.played.problem == ""


async def test_a_command_does_not_end_with_its_targets_but_by_the_undo_file(tmp_path: Path) -> None:
    world = MemoryWorld()
    world.refused["revert"] = "exit code 1"
    play = play_of(world, spec_of("exec"), tmp_path)
    play.end()
    await play.play()
    await play.settle(lambda target: True)
    assert play.active
    assert "could not be reverted: revert: c: exit code 1" in play.played.problem
    play.settle_command("shepherd")
    assert not play.active
    assert '"how":"its revert command succeeded, run by the shepherd"' in (tmp_path / "events.jsonl").read_text()


async def test_a_command_that_nobody_reverted_is_a_problem_after_the_end(tmp_path: Path) -> None:
    world = MemoryWorld()
    play = play_of(world, spec_of("exec"), tmp_path)
    playing = asyncio.create_task(play.play())
    while not play.played.confirmed:
        await asyncio.sleep(0)
    world.refused["revert"] = "exit code 1"
    play.release()
    await playing
    assert (play.active, play.played.problem) == (True, "")
    play.settle_command("")
    assert play.played.problem == "fault f1 (exec) could not be reverted at the end of the run"
    assert play.active
