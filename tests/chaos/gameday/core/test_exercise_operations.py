"""What responders do to the target: operations, what they repair, what is undone."""

from __future__ import annotations

import pytest

from chaos.gameday.core.orders import Operate, Revert, Undo
from chaos.gameday.core.plan import Repair
from chaos.gameday.core.roles import NotNow, Role
from reports.shared.errors import UserError
from tests.support.exercises import ADA, BEN, GRACE, Room, plan, step


def test_the_right_repair_reverts_the_fault_and_the_wrong_one_does_not() -> None:
    room = Room().with_fault()
    assert not room.operate(ADA, "restart", replica="tpu-0").orders
    assert room.operate(ADA, "restart", replica="tpu-1").orders == [Revert("h1", "repair", "Ada")]
    outcome = room.exercise.reverted("h1", "repair", room.now_s)
    assert outcome.facts[0].data == {"fault": "h1", "why": "repair", "operation": 2}


def test_an_operation_that_failed_repairs_nothing() -> None:
    room = Room().with_fault()
    assert not room.operate(ADA, "restart", ok=False, replica="tpu-1").orders
    assert room.operate(ADA, "restart", replica="tpu-1").orders


def test_restarts_of_several_targets_repair_when_all_were_restarted() -> None:
    room = Room().start()
    room.operate(ADA, "restart", replica="tpu-0")  # before the fault: it does not count
    room.act(GRACE, "play")
    room.inject(room.last.orders[0], ("tpu-0", "tpu-1"))
    assert not room.operate(ADA, "restart", replica="tpu-1").orders
    assert room.operate(BEN, "restart", replica="tpu-0").orders == [Revert("h1", "repair", "Ben")]


def test_a_repair_of_the_scenario_counts_in_place_of_the_one_of_the_kind() -> None:
    drain = Repair(operation="drain", arguments={"pool": "tpu"})
    room = Room(plan(steps=(step(repairs=(drain,)),))).with_fault()
    assert not room.operate(ADA, "restart", replica="tpu-1").orders
    assert room.operate(ADA, "drain", pool="tpu").orders == [Revert("h1", "repair", "Ada")]


def test_nothing_repairs_a_fault_whose_scenario_names_no_repair() -> None:
    room = Room(plan(steps=(step(repairs=()),))).with_fault()
    assert not room.operate(ADA, "restart", replica="tpu-1").orders


def test_two_responders_who_press_at_once_do_one_operation() -> None:
    room = Room().with_fault()
    room.act(ADA, "operate", operation="drain", arguments={"pool": "tpu"})
    with pytest.raises(NotNow, match="Ada drains the pool tpu at this moment"):
        room.act(BEN, "operate", operation="drain", arguments={"pool": "tpu"})
    (order,) = room.last.orders
    assert isinstance(order, Operate)
    room.exercise.operated(order.n, True, "", room.now_s)
    with pytest.raises(NotNow, match="pool tpu is drained already \\(by Ada\\)"):
        room.act(BEN, "operate", operation="drain", arguments={"pool": "tpu"})


def test_what_is_in_force_can_be_undone_once() -> None:
    room = Room().with_fault()
    room.operate(ADA, "drain", pool="nvidia")
    assert [one["text"] for one in room.see(Role.AUDIENCE)["live"]["operations"]] == ["pool nvidia is drained"]
    assert room.act(BEN, "undo", n=1).orders == [Undo(1, "Ben")]
    with pytest.raises(NotNow, match="being undone"):
        room.act(ADA, "undo", n=1)
    (fact,) = room.exercise.undone(1, True, "", room.now_s).facts
    assert (fact.event, fact.who, fact.role) == ("undone", "Ben", "responder")
    assert room.see(Role.AUDIENCE)["live"]["operations"] == []
    with pytest.raises(NotNow, match="not in force"):
        room.act(ADA, "undo", n=1)


def test_a_switch_takes_the_place_of_the_one_of_the_same_policy() -> None:
    room = Room().with_fault()
    room.operate(ADA, "switch", policy="retries: off")
    room.operate(ADA, "switch", policy="ejection: on")
    room.operate(ADA, "switch", policy="retries: budget")
    texts = [one["text"] for one in room.see(Role.RESPONDER)["live"]["operations"]]
    assert texts == ["switched: ejection: on", "switched: retries: budget"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"operation": "reboot"}, "there is no operation"),
        ({"operation": "restart", "arguments": {}}, "replica is missing"),
        ({"operation": "restart", "arguments": {"replica": "tpu-9"}}, 'did you mean "tpu-1"|did you mean "tpu-0"'),
        ({"operation": "restart", "arguments": {"replica": ["tpu-0"]}}, "replica is missing"),
        ({"operation": "restart_gateway", "arguments": {"now": "yes"}}, "has no argument"),
        ({"operation": "restart", "arguments": ["tpu-0"]}, "must be a mapping"),
        ({"operation": 7}, "must be a name"),
        ({}, "needs operation"),
    ],
)
def test_a_malformed_operation_is_refused_with_what_is_wrong(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        Room().with_fault().act(ADA, "operate", **arguments)


def test_a_fault_that_ends_while_its_replica_is_restarted_was_repaired_by_it() -> None:
    room = Room(plan(steps=(step(repairs=()),))).with_fault()
    room.act(ADA, "operate", operation="restart", arguments={"replica": "tpu-1"})
    (fact,) = room.exercise.reverted("h1", "repair", room.now_s).facts  # the old process is gone, the new one starts
    assert fact.data == {"fault": "h1", "why": "repair", "operation": 1}
    assert (fact.who, fact.role) == ("Ada", "responder")
    outcome = room.exercise.operated(1, True, "tpu-1 is ready", room.now_s)
    assert not outcome.orders
    assert outcome.facts[0].data["repairs"] == ["h1"]


@pytest.mark.parametrize("replica", ["tpu-0", "tpu-1"])
def test_a_fault_that_ends_by_its_time_is_repaired_by_nobody(replica: str) -> None:
    room = Room().with_fault()
    room.act(ADA, "operate", operation="restart", arguments={"replica": replica})
    (fact,) = room.exercise.reverted("h1", "time", room.now_s).facts
    assert fact.data == {"fault": "h1", "why": "time", "operation": None}


def test_a_restart_that_nobody_in_the_exercise_ordered_is_no_repair() -> None:
    (fact,) = Room().with_fault().exercise.reverted("h1", "repair", 1100.0).facts
    assert fact.data == {"fault": "h1", "why": "by hand", "operation": None}


def test_an_operation_has_the_time_at_which_it_was_ordered() -> None:
    room = Room().with_fault()
    room.after(10)
    room.act(ADA, "operate", operation="add_pool", arguments={"pool": "spare"})
    room.after(45)
    (fact, *_) = room.exercise.operated(1, True, "pool spare is added", room.now_s).facts
    assert (fact.data["ordered_s"], fact.t_s) == (10.0, 55.0)


def test_the_drain_of_a_reserve_pool_ends_with_the_pool() -> None:
    room = Room().start()
    room.operate(ADA, "add_pool", pool="spare")
    room.operate(ADA, "drain", pool="spare")
    room.act(ADA, "undo", n=1)
    room.exercise.undone(1, True, "", room.now_s)
    assert room.see(Role.RESPONDER)["live"]["operations"] == []
