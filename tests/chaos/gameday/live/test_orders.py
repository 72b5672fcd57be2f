"""What the exercise orders, on a target in memory: what it is told afterwards, and what a responder reads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from chaos.by_hand.load import HandLoad
from chaos.by_hand.operations import HandOperations
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.outcome import Outcome
from chaos.gameday.core.roles import Person, Role
from chaos.gameday.live.orders import Orders
from reports.shared.errors import BrownoutError, TargetFailed
from targets.gateway.config import Operations
from targets.stack import load_stack
from tests.support.exercises import ADA, GRACE, OFFER, FakeJudgement, plan
from tests.support.hand_rig import FakeLoad, HandRig

KILL = {"kind": "kill", "options": {"replica": "tpu-0"}}


class Day:
    """An exercise that has started, and what carries out its orders."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[Operations] = []
        self.refusing = False
        operations = HandOperations(load_stack("game-day"), self.send, lambda: False)
        self.rig = HandRig(folder, operations=operations)
        self.exercise = Exercise(plan(steps=(), branches=()), OFFER, FakeJudgement())
        self.facts: list[Any] = []
        clock = asyncio.get_running_loop().time
        self.orders = Orders(self.exercise, self.rig.controls, clock, self.take, self.rig.said.append, lambda why: None)
        self.clock = clock
        for person in (GRACE, ADA):
            self.take(self.exercise.entered(person, clock()))

    async def send(self, state: Operations) -> None:
        if self.refusing:
            raise TargetFailed("the gateway has freeze (h9)")
        self.sent.append(state)

    def take(self, outcome: Outcome) -> None:
        self.facts += outcome.facts

    async def act(self, person: Person, do: str, **arguments: Any) -> str:
        return await self.orders.carry_out(self.exercise.act(person, do, arguments, self.clock()))

    async def inject(self, arguments: Mapping[str, Any] = KILL) -> None:
        await self.act(GRACE, "inject", **arguments)

    async def until_told(self) -> None:
        """What was begun is done, and the exercise was told."""
        async with asyncio.timeout(5):
            while any(fault.active for fault in self.rig.controls.faults.values()):
                await asyncio.sleep(0.01)
        self.orders.adopt()
        await self.orders.finish()

    def told(self, event: str) -> list[Any]:
        return [fact for fact in self.facts if fact.event == event]

    def ended(self) -> list[tuple[str, str, int | None]]:
        """Of each fault that was reverted: why, who, the operation."""
        return [(one.data["why"], one.who, one.data["operation"]) for one in self.told("reverted")]


@pytest.fixture
async def day(tmp_path: Path) -> Day:
    made = Day(tmp_path)
    await made.act(GRACE, "start")
    return made


# -- why a fault ended ------------------------------------------------------------------------------------------------
async def test_a_revert_of_the_game_master_has_a_name(day: Day) -> None:
    await day.inject()
    await day.act(GRACE, "revert", fault="h1")
    await day.until_told()
    assert day.ended() == [("by hand", "Grace", None)]


@pytest.mark.parametrize("command", [{"do": "revert"}, {"do": "restart", "process": "tpu-0", "even_if_faulty": True}])
async def test_a_revert_from_another_terminal_is_by_hand(day: Day, command: dict[str, Any]) -> None:
    await day.inject()
    await day.rig.ask(**command)
    await day.until_told()
    assert day.ended() == [("by hand", "", None)]


async def test_an_abort_from_another_terminal_is_the_reason_also_if_it_is_fast(day: Day) -> None:
    await day.inject()
    await day.rig.ask("abort")
    await day.until_told()
    assert day.ended() == [("abort", "", None)]
    assert day.exercise.game.aborted


async def test_a_fault_ends_with_its_time(day: Day) -> None:
    await day.inject({**KILL, "for": "50ms"})
    await day.until_told()
    assert day.ended() == [("time", "", None)]


async def test_a_lapsed_lease_is_the_reason(day: Day) -> None:
    await day.inject()
    day.orders.lapsed("h1")
    await day.until_told()
    assert day.ended() == [("lease", "", None)]


async def test_a_restart_of_a_responder_is_a_repair(day: Day) -> None:
    await day.inject()
    await day.act(ADA, "operate", operation="restart", arguments={"replica": "tpu-0"})
    await day.until_told()
    assert day.ended() == [("repair", "Ada", 1)]
    assert day.told("operation")[0].data["repairs"] == ["h1"]


async def test_the_end_of_the_stack_is_the_reason_and_warns_of_nothing(day: Day) -> None:
    await day.inject({"kind": "latency", "options": {"replica": "tpu-0", "delay": "1s"}})
    await day.rig.controls.close()
    await day.rig.controls.faults["h1"].play.settle(lambda name: True)
    day.orders.faults.note_reverted()
    assert day.ended() == [("end", "", None)]
    assert day.told("warning") == []


# -- what goes wrong --------------------------------------------------------------------------------------------------
async def test_a_revert_that_succeeds_at_the_second_try_is_told(day: Day) -> None:
    await day.inject()
    day.rig.world.failing = {"start"}
    with pytest.raises(BrownoutError, match="could not be reverted"):
        await day.act(GRACE, "revert", fault="h1")
    day.orders.adopt()
    day.orders.adopt()
    assert len(day.told("warning")) == 1
    day.rig.world.failing = set()
    await day.act(GRACE, "revert", fault="h1")
    await day.until_told()
    assert day.ended() == [("by hand", "Grace", None)]


async def test_a_fault_that_failed_and_stayed_can_be_reverted_by_the_game_master(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kill takes place, the confirmation fails, and so does the revert."""
    day.rig.world.failing = {"start"}

    async def unconfirmed(*_: object) -> None:
        raise TargetFailed("nobody can say")

    make = day.rig.controls.make_play

    def made(one: Any) -> Any:
        play = make(one)
        monkeypatch.setattr(play.fault, "confirm", unconfirmed)
        return play

    monkeypatch.setattr(day.rig.controls, "make_play", made)
    with pytest.raises(BrownoutError):
        await day.inject()
    assert [fact.who for fact in day.told("injected")] == ["Grace"]
    day.rig.world.failing = set()
    await day.act(GRACE, "revert", fault="h1")
    await day.until_told()
    assert len(day.ended()) == 1
    assert day.rig.world.healthy


async def test_a_responder_is_not_told_the_fault_that_a_failed_operation_met(day: Day) -> None:
    await day.inject()
    day.rig.world.failing = {"start"}
    with pytest.raises(TargetFailed) as error:
        await day.act(ADA, "operate", operation="restart", arguments={"replica": "tpu-0"})
    assert "h1" not in str(error.value)
    assert "kill" not in str(error.value)
    assert "tpu-0 could not be restarted" in str(error.value)
    assert "h1" in day.told("operation")[0].text
    log = day.exercise.game.log.all(Role.RESPONDER)
    assert not any("h1" in event["text"] or "kill" in event["text"] for event in log)
    day.rig.world.failing = set()


async def test_a_refusal_that_depends_on_operations_alone_is_told_and_no_other(day: Day) -> None:
    await day.rig.ask("operate", operation="drain", arguments={"pool": "tpu"})
    with pytest.raises(TargetFailed, match="pool tpu is drained already") as error:
        await day.act(ADA, "operate", operation="drain", arguments={"pool": "tpu"})
    assert "brownout" not in str(error.value)
    day.refusing = True
    with pytest.raises(TargetFailed) as error:
        await day.act(ADA, "operate", operation="drain", arguments={"pool": "nvidia"})
    assert "h9" not in str(error.value)


async def test_a_defect_leaves_no_operation_under_way(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    async def defect(*_: object) -> None:
        raise KeyError("h1")

    monkeypatch.setattr(day.rig.controls, "restart", defect, raising=True)
    with pytest.raises(TargetFailed, match="could not be restarted"):
        await day.act(ADA, "operate", operation="restart", arguments={"replica": "tpu-0"})
    assert not day.exercise.game.operations.under_way


# -- at the same moment -----------------------------------------------------------------------------------------------
async def test_an_injection_of_the_exercise_is_never_taken_for_another_terminals(day: Day) -> None:
    day.rig.world.held = {"kill"}
    injecting = asyncio.create_task(day.inject())
    await day.rig.world.entered.wait()
    day.rig.world.go_on.set()
    while not injecting.done():
        day.orders.adopt()
        await asyncio.sleep(0)
    await injecting
    assert [fact.who for fact in day.told("injected")] == ["Grace"]


async def test_a_release_during_the_abort_is_no_new_abort_and_starts_the_load_once(day: Day) -> None:
    await day.orders.start_load()
    await day.inject()
    day.rig.world.held = {"start"}
    abort = asyncio.create_task(day.act(GRACE, "abort"))
    await day.rig.world.entered.wait()
    release = asyncio.create_task(day.act(GRACE, "release"))
    for _ in range(5):
        await asyncio.sleep(0)
        day.orders.adopt()
    assert not day.rig.load.running
    day.rig.world.go_on.set()
    await asyncio.gather(abort, release)
    day.orders.adopt()
    assert not day.exercise.game.aborted
    assert day.rig.load.running
    assert len(day.told("abort")) == 1


async def test_the_end_waits_for_no_command_and_nothing_is_injected_after_it(day: Day) -> None:
    day.rig.world.held = {"kill"}
    first = asyncio.create_task(day.inject())
    await day.rig.world.entered.wait()
    second = asyncio.create_task(day.inject({"kind": "freeze", "options": {"pool": "nvidia"}}))
    await asyncio.sleep(0)
    restore = asyncio.create_task(day.orders.restore())
    await asyncio.sleep(0)
    day.rig.world.go_on.set()
    assert await restore == ""
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert "this stack ends" in str(results[1])
    assert day.rig.world.healthy
    await day.until_told()
    assert day.ended() == [("end", "", None)]
    with pytest.raises(BrownoutError, match="this stack ends"):
        await day.rig.ask("load_start")


async def test_the_end_says_that_a_fault_could_not_be_reverted(day: Day) -> None:
    await day.inject()
    day.rig.world.failing = {"start"}
    assert "could not be reverted" in await day.orders.restore()
    assert day.ended() == []


# -- what another terminal did ----------------------------------------------------------------------------------------
async def test_an_operation_that_another_terminal_undid_is_no_longer_in_force(day: Day) -> None:
    await day.act(ADA, "operate", operation="drain", arguments={"pool": "tpu"})
    await day.rig.ask("undo", n=1)
    day.orders.adopt()
    assert not day.exercise.game.operations.in_force
    await day.act(ADA, "operate", operation="drain", arguments={"pool": "tpu"})
    await day.act(ADA, "undo", n=2)
    assert [one.who for one in day.told("undone")] == ["a command of brownout", "Ada"]


async def test_who_changed_the_load_is_recorded(day: Day) -> None:
    load = cast(FakeLoad, cast(HandLoad, day.rig.controls.load))
    await day.orders.start_load()
    await day.act(GRACE, "load_level", factor=2)
    await day.act(GRACE, "load_stop")
    await day.rig.ask("load_start")
    day.orders.adopt()
    assert load.running
    assert [(one.who, one.data["running"]) for one in day.told("load")][-3:] == [
        ("Grace", True),
        ("Grace", False),
        ("", True),
    ]
