"""The room of a game day: orders carried out on a stack in memory, and what is recorded of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chaos.gameday.core.plan import Plan, Step
from chaos.gameday.core.roles import NotAllowed, NotNow, Role
from reports.shared.errors import TargetFailed, UserError
from tests.support.gameday_rig import MIRA, RoomRig

SLOW = Step(id="slow", label="slow", kind="slow_decode", options={"replica": "tpu-0", "factor": 5}, at_s=0.0)
PLAN = Plan(name="p", title="The secret title", steps=(SLOW,))
FREE = Plan(name="free", title="free", source="free")


async def test_a_step_is_played_at_its_time_and_ends_with_the_right_repair(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, PLAN) as rig:
        await rig.master("start")
        await rig.until(lambda: rig.facts("injected"), "the step is played")
        assert await rig.responder("operate", operation="restart", arguments={"replica": "tpu-1"})
        assert rig.reverted() == []
        await rig.responder("operate", operation="restart", arguments={"replica": "tpu-0"})
        assert rig.reverted() == [("h1", "repair")]
        assert rig.hand.stages("h1")[-1] == "verified"
    repairs = [one["data"]["repairs"] for one in rig.facts("operation")]
    assert repairs == [[], ["h1"]]


async def test_the_game_master_sees_what_a_fault_is_and_when_it_began(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, PLAN) as rig:
        await rig.master("start")
        await rig.until(lambda: rig.facts("injected"), "the step is played")

        def fault() -> dict[str, Any]:
            (one,) = rig.room.view(Role.GAMEMASTER)["gamemaster"]["faults"]
            return dict(one)

        began = fault()
        loop, clock = asyncio.get_running_loop(), rig.room.exercise.game.clock
        await rig.until(lambda: clock.elapsed_s(loop.time()) >= began["since_s"] + 1, "a second has passed")
        assert began["text"] == "slow_decode on tpu-0"
        assert fault()["since_s"] == pytest.approx(began["since_s"], abs=0.25)


async def test_a_fault_with_a_time_ends_with_it(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        await rig.master("start")
        await rig.master("inject", kind="trickle", options={"replica": "tpu-0"}, **{"for": "1s"})
        await rig.until(rig.reverted, "it has ended")
    assert rig.reverted() == [("h1", "time")]


async def test_a_fault_of_another_terminal_is_known_to_the_exercise(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        await rig.master("start")
        await rig.hand.ask("inject", "latency --replica tpu-0 --delay 1s")
        await rig.until(lambda: rig.facts("injected"), "the exercise knows it")
        await rig.hand.ask("revert", fault="h1")
        await rig.until(rig.reverted, "the exercise knows that it ended")
    (injected,) = rig.facts("injected")
    assert (injected["data"]["kind"], injected["who"]) == ("latency", "a command of brownout")


async def test_an_abort_of_another_terminal_aborts_the_exercise(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, PLAN) as rig:
        await rig.master("start")
        await rig.until(lambda: rig.facts("injected"), "the step is played")
        await rig.hand.ask("abort")
        await rig.until(lambda: rig.facts("abort"), "the exercise is aborted")
        with pytest.raises(NotNow, match="abort"):
            await rig.master("inject", kind="kill", options={"pool": "tpu"})


async def test_the_end_reverts_everything_and_everybody_reads_the_truth(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, PLAN) as rig:
        await rig.master("start")
        await rig.until(lambda: rig.facts("injected"), "the step is played")
        before = rig.room.view(Role.AUDIENCE)
        await rig.master("end")
        assert rig.staying is not None
        await asyncio.wait((rig.staying,), timeout=5)
        over = rig.room.view(Role.AUDIENCE)
    assert (before["review"], "secret title" in str(before)) == (None, False)
    assert (over["exercise"]["state"], over["review"]["restored"]["verified"]) == ("over", True)
    assert over["review"]["times"]
    assert (rig.reverted(), rig.released, rig.hand.load.running) == ([("h1", "end")], 1, False)


async def test_a_fault_that_cannot_be_reverted_is_said_at_the_end(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        await rig.master("start")
        await rig.master("inject", kind="kill", options={"replica": "tpu-0"})
        rig.hand.world.failing.add("start")
        await rig.master("end")
        assert rig.staying is not None
        await asyncio.wait((rig.staying,), timeout=5)
        review = rig.room.view(Role.GAMEMASTER)["review"]
    assert review["restored"]["verified"] is False
    assert "could not be reverted" in review["restored"]["text"]
    assert rig.facts("restored")[0]["data"]["verified"] is False


async def test_a_page_that_is_closed_does_not_stop_what_it_began(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        await rig.master("start")
        rig.hand.world.held.add("kill")
        acting = asyncio.create_task(rig.master("inject", kind="kill", options={"replica": "tpu-0"}))
        await rig.hand.world.entered.wait()
        acting.cancel()
        rig.hand.world.go_on.set()
        await rig.until(lambda: rig.facts("injected"), "the injection is completed")


async def test_an_injection_that_fails_is_told_to_the_game_master_only(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        await rig.master("start")
        rig.hand.world.failing.add("kill")
        with pytest.raises(TargetFailed, match="kill is not possible"):
            await rig.master("inject", kind="kill", options={"replica": "tpu-0"})
        assert "kill" in str(rig.room.view(Role.GAMEMASTER)["events"])
        assert "kill" not in str(rig.room.view(Role.RESPONDER))


async def test_a_preview_says_what_is_hit_and_injects_nothing(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        await rig.master("start")
        text = await rig.master("preview", kind="kill", options={"pool": "tpu", "for": "5s"})
        assert text == "kill on tpu-0, tpu-1 (2 of 6 replicas), for 5 s"
        with pytest.raises(UserError, match="no-such"):
            await rig.master("preview", kind="kill", options={"pool": "no-such"})
    assert rig.facts("injected") == []


async def test_before_the_stack_is_ready_only_notes_are_taken(tmp_path: Path) -> None:
    rig = RoomRig(tmp_path, PLAN)
    rig.room.entered(MIRA)
    with pytest.raises(NotNow, match="not ready yet"):
        await rig.master("start")
    assert rig.room.view(Role.GAMEMASTER)["exercise"]["state"] == "briefing"
    await rig.master("note", text="we wait")
    assert [one["text"] for one in rig.facts("note")] == ["we wait"]


async def test_a_full_disk_ends_the_game_day(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        rig.hand.events.full_from = "exercise"
        await rig.master("note", text="x")
    assert rig.failures


async def test_a_role_may_not_do_what_is_for_another(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        with pytest.raises(NotAllowed, match="game masters"):
            await rig.responder("start")


async def test_a_stack_that_ends_before_the_exercise_ends_it(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, PLAN) as rig:
        await rig.master("start")
        await rig.until(lambda: rig.facts("injected"), "the step is played")
    rig.room.left(["tpu-0 did not end"])
    assert [one["text"] for one in rig.facts("ended")] == ["the game day was stopped"]
    assert rig.facts("restored")[0]["data"]["verified"] is False


async def test_a_record_whose_folder_was_removed_ends_the_game_day(tmp_path: Path) -> None:
    async with RoomRig(tmp_path, FREE) as rig:
        (tmp_path / "events.jsonl").unlink()
        await rig.until(lambda: rig.failures, "the loss is noticed")
    assert "was removed" in str(rig.failures[0])
