"""Commands that meet: two at once, an abort in the middle of each, replicas that are lent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chaos.runner.record_writer import RecordFull
from reports.shared.errors import TargetFailed, UserError
from tests.support.hand_rig import HandRig


@pytest.fixture
async def rig(tmp_path: Path) -> HandRig:
    return HandRig(tmp_path)


async def asleep(rig: HandRig, what: str, do: str, line: str = "", **more: Any) -> asyncio.Task[Any]:
    """A command that waits in a call of the world."""
    rig.world.held = {what}
    task = asyncio.create_task(rig.ask(do, line, **more))
    async with asyncio.timeout(5):
        await rig.world.entered.wait()
    return task


async def test_a_second_injection_waits_for_the_first_and_says_so(rig: HandRig) -> None:
    first = await asleep(rig, "kill", "inject", "kill --pool tpu")
    second = asyncio.create_task(rig.ask("inject", "freeze --pool nvidia"))
    await asyncio.sleep(0)
    assert "waits until another command is done" in rig.told
    assert rig.world.states["nvidia-0"] == "running"
    rig.world.go_on.set()
    assert ((await first)["fault"], (await second)["fault"]) == ("h1", "h2")


async def test_the_second_of_two_equal_injections_is_refused(rig: HandRig) -> None:
    first = await asleep(rig, "kill", "inject", "kill --pool tpu")
    second = asyncio.create_task(rig.ask("inject", "kill --pool tpu"))
    rig.world.go_on.set()
    await first
    with pytest.raises(UserError, match=r"kill \(h1\) is active there"):
        await second


async def test_status_is_answered_while_a_command_runs(rig: HandRig) -> None:
    first = await asleep(rig, "kill", "inject", "kill --pool tpu")
    (fault,) = (await rig.ask("status"))["faults"]
    assert (fault["id"], fault["confirmed"]) == ("h1", False)
    rig.world.go_on.set()
    await first


async def test_a_revert_waits_until_the_fault_is_confirmed(rig: HandRig) -> None:
    first = await asleep(rig, "kill", "inject", "kill --pool tpu")
    revert = asyncio.create_task(rig.ask("revert", fault="h1"))
    rig.world.go_on.set()
    await first
    assert (await revert)["reverted"] == ["h1"]
    assert rig.world.healthy


async def test_abort_waits_for_no_command_and_nothing_is_injected_after_it(rig: HandRig) -> None:
    first = await asleep(rig, "kill", "inject", "kill --pool tpu")
    second = asyncio.create_task(rig.ask("inject", "freeze --pool nvidia"))
    abort = asyncio.create_task(rig.ask("abort"))
    await asyncio.sleep(0)
    assert rig.controls.aborted
    rig.world.go_on.set()
    assert "reverted and verified: h1" in (await abort)["text"]
    with pytest.raises(UserError, match="everything was aborted"):
        await second
    await asyncio.gather(first, return_exceptions=True)
    assert rig.world.healthy


async def test_an_abort_right_after_an_injection_began_reverts_it(rig: HandRig) -> None:
    """The fault is planned then, and its task has not run yet."""
    inject, abort = asyncio.create_task(rig.ask("inject", "kill --pool tpu")), asyncio.create_task(rig.ask("abort"))
    results = await asyncio.gather(inject, abort, return_exceptions=True)
    assert not isinstance(results[1], Exception)
    assert rig.world.healthy
    assert rig.controls.status()["faults"] == []


async def test_abort_in_the_middle_of_a_revert_waits_for_it(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    revert = await asleep(rig, "start", "revert", fault="h1")
    abort = asyncio.create_task(rig.ask("abort"))
    rig.world.go_on.set()
    assert (await revert)["reverted"] == ["h1"]
    await abort
    assert rig.world.healthy


async def test_an_abort_that_cannot_revert_says_so_and_still_refuses(rig: HandRig) -> None:
    await rig.ask("load_start")
    await rig.ask("inject", "kill --pool tpu")
    rig.world.failing = {"start"}
    with pytest.raises(TargetFailed, match="could not be reverted"):
        await rig.ask("abort")
    assert rig.load.stopped == 1
    assert rig.controls.aborted
    rig.world.failing = set()
    await rig.ask("abort")
    assert rig.world.healthy


async def test_release_waits_until_a_running_command_is_done(rig: HandRig) -> None:
    first = await asleep(rig, "kill", "inject", "kill --pool tpu")
    abort = asyncio.create_task(rig.ask("abort"))
    release = asyncio.create_task(rig.ask("release"))
    await asyncio.sleep(0)
    assert rig.controls.aborted
    rig.world.go_on.set()
    await asyncio.gather(first, abort, release, return_exceptions=True)
    assert not rig.controls.aborted


class Lent:
    """Replicas that can be lent. `fails`: ending them, or giving them back, fails."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.ended = self.returned = 0

    async def __call__(self) -> Any:
        if self.fails == "lend":
            raise TargetFailed("they do not end")
        self.ended += 1

        async def give_back() -> bool:
            if self.fails == "return":
                raise TargetFailed("port 1 is in use")
            self.returned += 1
            return True

        return give_back


async def lent(rig: HandRig) -> asyncio.Task[Any]:
    task = asyncio.create_task(rig.ask("lend", to="the run 1"))
    async with asyncio.timeout(5):
        while "lent" not in rig.told:
            await asyncio.sleep(0)
    return task


async def test_lent_replicas_come_back_when_the_borrower_is_gone(tmp_path: Path) -> None:
    rig = HandRig(tmp_path, lend=(replicas := Lent()))
    task = await lent(rig)
    assert rig.controls.status()["lent_to"] == "the run 1"
    for do, line in (("inject", "kill --pool tpu"), ("restart", ""), ("load_start", "")):
        with pytest.raises(UserError, match="lent to the run 1 until it ends"):
            await rig.ask(do, line)
    with pytest.raises(UserError, match="lent to the run 1 already"):
        await rig.ask("lend", to="the run 2")
    rig.gone.set()
    await task
    assert (replicas.ended, replicas.returned) == (1, 1)
    assert rig.controls.status()["lent_to"] == ""
    await rig.ask("inject", "kill --pool tpu")
    assert rig.events.actions() == ["lend", "returned", "inject"]


async def test_the_next_borrower_waits_until_the_replicas_are_back(tmp_path: Path) -> None:
    replicas, may_return = Lent(), asyncio.Event()

    async def lend() -> Any:
        give_back = await replicas()

        async def slowly() -> bool:
            await may_return.wait()
            return bool(await give_back())

        return slowly

    rig = HandRig(tmp_path, lend=lend)
    first = await lent(rig)
    rig.gone.set()
    await asyncio.sleep(0)
    second = asyncio.create_task(rig.ask("lend", to="the run 2"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert (replicas.ended, second.done()) == (1, False)
    may_return.set()
    await asyncio.gather(first, second)
    assert (replicas.ended, replicas.returned) == (2, 2)
    assert rig.controls.status()["lent_to"] == ""


async def test_replicas_with_an_active_fault_or_a_gateway_are_not_lent(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a gateway of their own"):
        await HandRig(tmp_path).ask("lend", to="x")
    rig = HandRig(tmp_path, lend=(replicas := Lent()))
    await rig.ask("inject", "kill --pool tpu")
    with pytest.raises(UserError, match="a fault is active"):
        await rig.ask("lend", to="x")
    assert replicas.ended == 0


async def test_a_loan_that_fails_lends_nothing(tmp_path: Path) -> None:
    rig = HandRig(tmp_path, lend=Lent("lend"))
    with pytest.raises(TargetFailed, match="they do not end"):
        await rig.ask("lend", to="x")
    await rig.ask("inject", "kill --pool tpu")


async def test_replicas_that_do_not_start_again_are_said_and_not_lent_any_more(tmp_path: Path) -> None:
    rig = HandRig(tmp_path, lend=Lent("return"))
    task = await lent(rig)
    rig.gone.set()
    await task
    assert rig.said[-1] == "port 1 is in use"
    assert rig.controls.status()["lent_to"] == ""


async def test_the_end_of_the_stack_while_lent_says_nothing_of_the_borrower(tmp_path: Path) -> None:
    rig = HandRig(tmp_path, lend=Lent())
    task = await lent(rig)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not any("has ended" in text for text in rig.said)


async def test_a_release_waits_for_the_abort_whose_load_is_still_ending(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    abort = await asleep(rig, "start", "abort")
    release = asyncio.create_task(rig.ask("release"))
    done, _ = await asyncio.wait((release,), timeout=0.01)
    assert (not done, rig.controls.aborted) == (True, True)
    rig.world.go_on.set()
    await asyncio.gather(abort, release)
    assert not rig.controls.aborted
    await rig.ask("load_start")


async def test_a_release_does_not_end_an_abort_that_came_after_it(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    abort = await asleep(rig, "start", "abort")
    release = asyncio.create_task(rig.ask("release"))
    await asyncio.sleep(0)
    again = asyncio.create_task(rig.ask("abort"))
    await asyncio.sleep(0)
    rig.world.go_on.set()
    await asyncio.gather(abort, again)
    with pytest.raises(UserError, match="aborted again meanwhile"):
        await release
    assert rig.controls.aborted
    await rig.ask("release")
    assert not rig.controls.aborted


async def test_an_abort_reverts_also_if_it_cannot_be_recorded(rig: HandRig) -> None:
    await rig.ask("load_start")
    await rig.ask("inject", "kill --pool tpu")
    rig.events.full_from = "action"
    with pytest.raises(RecordFull):
        await rig.ask("abort")
    assert rig.world.healthy
    assert not rig.load.running


async def test_the_first_reason_of_a_revert_counts(rig: HandRig) -> None:
    await rig.ask("inject", "kill --pool tpu")
    revert = await asleep(rig, "start", "revert", fault="h1", why="repair", who="Ada")
    abort = asyncio.create_task(rig.ask("abort"))
    await asyncio.sleep(0)
    rig.world.go_on.set()
    await asyncio.gather(revert, abort)
    assert (rig.controls.faults["h1"].why, rig.controls.faults["h1"].who) == ("repair", "Ada")
