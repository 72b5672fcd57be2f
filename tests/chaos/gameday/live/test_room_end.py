"""The end of a game day on a target in memory, and its record while people look back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from chaos.gameday.core.exercise import Exercise
from chaos.gameday.live.room import GameRoom
from chaos.runner.record_writer import EventLog, RecordFull
from tests.support.exercises import ADA, GRACE, OFFER, FakeJudgement, plan
from tests.support.hand_rig import STACK, HandRig, Recorded


class Played:
    """A room whose exercise runs on a rig, until `over`."""

    def __init__(self, folder: Path) -> None:
        self.rig = HandRig(folder)
        self.ready, self.path = asyncio.Event(), folder / "events.jsonl"
        self.room = GameRoom(
            Exercise(plan(steps=(), branches=()), OFFER, FakeJudgement()),
            STACK,
            self.rig.events,
            slo_ttft_s=None,
            gateway="gateway",
            guardrails=(),
            clock=asyncio.get_running_loop().time,
            say=self.rig.said.append,
            on_ready=self.ready.set,
            on_over=self._over,
            on_failure=self._fail,
        )
        for person in (GRACE, ADA):
            self.room.entered(person)

    async def _over(self) -> None:
        return

    def _fail(self, error: Exception) -> None:
        raise error

    async def start(self) -> asyncio.Task[None]:
        staying = asyncio.create_task(self.room.stay(self.rig.controls))
        await self.ready.wait()
        await self.room.act(GRACE, "start", {})
        return staying

    def recorded(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [line for line in lines if line["type"] == "exercise" and line["event"] == event]


@pytest.fixture
async def played(tmp_path: Path) -> Played:
    return Played(tmp_path)


async def test_the_end_reverts_at_once_while_an_operation_still_starts(played: Played) -> None:
    staying = await played.start()
    await played.room.act(GRACE, "inject", {"kind": "kill", "options": {"replica": "tpu-1"}})
    held = asyncio.Event()

    async def cold_start(*_: object) -> None:
        await held.wait()

    played.rig.controls.restart = cold_start
    restart = asyncio.create_task(
        played.room.act(ADA, "operate", {"operation": "restart", "arguments": {"replica": "nvidia-0"}})
    )
    await asyncio.sleep(0)
    await played.room.act(GRACE, "end", {})
    async with asyncio.timeout(5):
        while not played.rig.world.healthy:
            await asyncio.sleep(0.01)
    assert not restart.done()
    held.set()
    await staying
    assert played.room.view(GRACE.role)["review"]["restored"]["verified"] is True


async def test_what_is_noted_during_the_review_is_recorded_and_asks_for_a_new_analysis(played: Played) -> None:
    staying = await played.start()
    await played.room.act(GRACE, "end", {})
    await staying
    assert not played.room.pause_record()
    played.rig.events.close()
    await played.room.act(ADA, "note", {"text": "while it was analysed"})
    again = EventLog(played.path)
    played.room.continue_record(again)
    await played.room.act(GRACE, "note", {"text": "in the review"})
    assert [one["text"] for one in played.recorded("note")] == ["while it was analysed", "in the review"]
    assert played.room.pause_record()
    again.close()


async def test_a_stack_that_ends_first_still_tells_who_ended_each_fault(played: Played) -> None:
    staying = await played.start()
    await played.room.act(GRACE, "inject", {"kind": "kill", "options": {"replica": "tpu-1"}})
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    await played.rig.controls.close()
    await played.rig.controls.faults["h1"].play.settle(lambda name: True)
    played.room.left([])
    review = cast(dict[str, Any], played.room.view(GRACE.role)["review"])
    assert [(one["end_s"] is not None, one["ended_by"]) for one in review["truth"]] == [(True, "end")]
    assert played.recorded("warning") == []


async def test_what_died_by_itself_is_not_called_restored(played: Played) -> None:
    staying = await played.start()
    played.rig.world.states["tpu-0"] = "gone"
    await played.room.act(GRACE, "end", {})
    await staying
    restored = cast(dict[str, Any], played.room.view(GRACE.role)["review"])["restored"]
    assert (restored["verified"], "tpu-0 is down" in restored["text"]) == (False, True)
    assert played.room.restored_problem == ""


async def test_on_a_full_disk_what_is_noted_in_the_review_waits_and_is_not_lost(played: Played) -> None:
    staying = await played.start()
    await played.room.act(GRACE, "end", {})
    await staying
    played.room.pause_record()
    played.rig.events.close()
    for text in ("first", "second"):
        await played.room.act(ADA, "note", {"text": text})
    full = Recorded(played.path)
    full.full_from = "exercise"
    with pytest.raises(RecordFull):
        played.room.continue_record(full)
    full.full_from = ""
    played.room.continue_record(full)
    full.close()
    assert [one["text"] for one in played.recorded("note")] == ["first", "second"]
