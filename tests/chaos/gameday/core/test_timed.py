"""What happens by itself: hints and their conditions, questions, branches."""

from __future__ import annotations

import pytest

from chaos.gameday.core.orders import End, Inject
from chaos.gameday.core.plan import Branch, Hint, Question
from chaos.gameday.core.roles import NotNow, Role
from reports.shared.errors import UserError
from tests.support.exercises import ADA, BEN, GRACE, Room, plan


def hints(room: Room) -> list[str]:
    return [hint["text"] for hint in room.see(Role.RESPONDER)["responder"]["hints"]]


def test_a_hint_is_given_at_its_time() -> None:
    room = Room().start()
    room.after(239)
    assert hints(room) == []
    room.after(1)
    assert hints(room) == ["Compare the replicas."]


def test_a_hint_is_not_given_if_people_know_already() -> None:
    room = Room().with_fault()
    room.act(ADA, "belief", cause="slow", component="replica:tpu-1")
    room.after(300)
    assert hints(room) == []


def test_a_hint_can_be_given_before_its_time_and_only_once() -> None:
    room = Room().start()
    room.act(GRACE, "hint", id="hint-1")
    with pytest.raises(NotNow, match="given already"):
        room.act(GRACE, "hint", id="hint-1")
    with pytest.raises(UserError, match="there is no hint"):
        room.act(GRACE, "hint", id="hint-9")
    room.act(GRACE, "hint", text="Look at the queue.")
    room.after(300)
    assert hints(room) == ["Compare the replicas.", "Look at the queue."]


@pytest.mark.parametrize("unless", ["noticed", "repaired"])
def test_a_hint_looks_at_its_own_condition(unless: str) -> None:
    made = plan(hints=(Hint(id="h", after_s=100.0, text="x", unless=unless),), branches=())  # type: ignore[arg-type]
    room = Room(made).with_fault()
    if unless == "noticed":
        room.act(ADA, "notice")
    else:
        room.operate(ADA, "restart", replica="tpu-1")
        room.exercise.reverted("h1", "repair", room.now_s)
    room.after(110)
    assert hints(room) == []


def test_a_question_is_open_until_the_first_answer() -> None:
    room = Room().start()
    room.after(180)
    (question,) = room.see(Role.RESPONDER)["responder"]["questions"]
    assert (question["id"], question["who"], question["answered"]) == ("q1", "A customer", None)
    room.act(ADA, "answer", question="q1", text="We know, and work on it.")
    with pytest.raises(NotNow, match="Ada has answered this already"):
        room.act(BEN, "answer", question="q1", text="No idea.")
    (question,) = room.see(Role.RESPONDER)["responder"]["questions"]
    assert question["answered"] == {"who": "Ada", "t_s": 180.0, "text": "We know, and work on it."}
    with pytest.raises(UserError, match="there is no question"):
        room.act(BEN, "answer", question="q2", text="Hello?")


def test_questions_are_numbered_as_they_are_asked_and_not_as_they_are_planned() -> None:
    later = Question(id="event-2", at_s=500.0, who="A manager", text="When?")
    room = Room(plan(questions=(later, *plan().questions), branches=())).start()
    room.act(GRACE, "question", text="Who is the scribe?")
    room.after(510)
    asked = [(one["id"], one["who"]) for one in room.see(Role.RESPONDER)["responder"]["questions"]]
    assert asked == [("q1", "The game master"), ("q2", "A customer"), ("q3", "A manager")]


def test_a_branch_whose_condition_holds_brings_its_steps() -> None:
    room = Room().with_fault()
    orders = room.after(600).orders
    assert [order.kind for order in orders if isinstance(order, Inject)] == ["kill"]
    (branch,) = room.see(Role.GAMEMASTER)["gamemaster"]["branches"]
    assert branch["taken"] is True


def test_a_branch_whose_condition_does_not_hold_is_decided_once() -> None:
    room = Room().with_fault()
    room.operate(ADA, "restart", replica="tpu-1")
    room.exercise.reverted("h1", "repair", room.now_s)
    assert not room.after(700).orders
    (branch,) = room.see(Role.GAMEMASTER)["gamemaster"]["branches"]
    assert branch["taken"] is False
    facts = [fact.data for fact in room.facts if fact.event == "branch"]
    assert facts == [{"id": "b1", "taken": False}]


def test_a_branch_can_bring_hints_and_questions_of_its_own() -> None:
    branch = Branch(
        id="b1",
        at_s=100.0,
        when="not_noticed",
        text="x",
        hints=(Hint(id="b1-hint-1", after_s=120.0, text="Look at the wall."),),
        questions=(Question(id="b1-event-1", at_s=130.0, who="A manager", text="Do you see it?"),),
    )
    room = Room(plan(steps=(), hints=(), questions=(), branches=(branch,))).start()
    room.after(140)
    assert hints(room) == ["Look at the wall."]
    assert room.see(Role.RESPONDER)["responder"]["questions"][0]["text"] == "Do you see it?"


@pytest.mark.parametrize(("when", "ends"), [("repaired", True), ("not_repaired", False)])
def test_a_branch_can_end_the_exercise(when: str, ends: bool) -> None:
    branch = Branch(id="b1", at_s=100.0, when=when, text="x", end=True)  # type: ignore[arg-type]
    room = Room(plan(branches=(branch,))).with_fault()
    room.operate(ADA, "restart", replica="tpu-1")
    room.exercise.reverted("h1", "repair", room.now_s)
    assert (End("branch b1") in room.after(110).orders) is ends


def test_a_planned_question_can_be_asked_before_its_time_and_once() -> None:
    room = Room().start()
    planned = room.see(Role.GAMEMASTER)["gamemaster"]["questions"][0]["id"]
    room.act(GRACE, "question", id=planned)
    (question,) = room.see(Role.RESPONDER)["responder"]["questions"]
    assert (question["id"], question["who"]) == ("q1", "A customer")
    with pytest.raises(NotNow, match="asked already"):
        room.act(GRACE, "question", id=planned)
    with pytest.raises(UserError, match="no planned question"):
        room.act(GRACE, "question", id="nothing")
    room.after(500)
    assert len(room.see(Role.RESPONDER)["responder"]["questions"]) == 1
