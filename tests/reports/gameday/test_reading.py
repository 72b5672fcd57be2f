"""From facts to the exercise: faults, beliefs, holds, answers, also of a record that ends early."""

from __future__ import annotations

from typing import Any

from reports.gameday.reading import read_exercise

INJECTED: dict[str, Any] = {"fault": "h1", "kind": "freeze", "targets": ["tpu-0"], "cause": "replica_hangs"}
RIGHT: dict[str, Any] = {"n": 1, "cause": "replica_hangs", "component": "pool:tpu"}


def row(t_s: float, event: str, who: str = "", text: str = "", **data: Any) -> dict[str, Any]:
    role = "responder" if who else ""
    return {"event": event, "who": who, "role": role, "text": text, "data": data, "t_s": t_s}


def injected(t_s: float, **more: Any) -> dict[str, Any]:
    return row(t_s, "injected", **{**INJECTED, "components": ["replica:tpu-0", "pool:tpu"], **more})


def test_a_belief_is_judged_by_what_was_active_when_it_was_said() -> None:
    facts = [row(1.0, "belief", "Ada", **RIGHT), injected(2.0), row(3.0, "belief", "Ada", **RIGHT)]
    assert [one.verdict for one in read_exercise(facts).beliefs] == ["no fault", "right"]


def test_a_belief_about_an_earlier_period_is_not_right_in_a_later_one() -> None:
    later: dict[str, Any] = {
        "fault": "h2",
        "kind": "retry_storm",
        "targets": ["load"],
        "cause": "retries",
        "components": ["load"],
    }
    facts = [
        injected(0.0),
        row(10.0, "reverted", fault="h1", why="time"),
        row(60.0, "belief", "Ada", **RIGHT),
        row(200.0, "injected", **later),
        row(210.0, "belief", "Ada", **RIGHT),
    ]
    assert [one.verdict for one in read_exercise(facts).beliefs] == ["right", "wrong"]


def test_an_operation_that_repaired_ends_its_fault_though_the_record_ends_first() -> None:
    facts = [injected(1.0), row(9.0, "operation", "Ada", n=4, operation="restart", repairs=["h1"])]
    (fault,) = read_exercise(facts).faults
    assert (fault.end_s, fault.ended_by, fault.operation) == (9.0, "repair", 4)


def test_a_hold_ends_with_the_exercise() -> None:
    facts = [row(0.0, "started"), row(5.0, "held"), row(7.0, "resumed"), row(8.0, "held"), row(10.0, "ended")]
    exercise = read_exercise(facts)
    assert exercise.holds == [(5.0, 7.0), (8.0, 10.0)]
    assert exercise.held_s(6.0, 9.0) == 2.0
    assert exercise.ended_s == 10.0


def test_the_first_answer_counts_and_who_asks_takes_no_part() -> None:
    facts = [
        row(1.0, "question", "A customer", "Down?", id="q1"),
        row(2.0, "answer", "Ada", "No", id="q1"),
        row(3.0, "answer", "Bo", "Yes", id="q1"),
    ]
    exercise = read_exercise(facts)
    answer = exercise.questions[0].answer
    assert answer is not None
    assert (answer.who, answer.text) == ("Ada", "No")
    assert list(exercise.people) == ["Ada", "Bo"]


def test_a_finding_whose_plan_cannot_be_read_is_kept() -> None:
    facts = [row(0.0, "opened", findings="damaged"), row(1.0, "finding", "Mia", id="f1", found=True)]
    exercise = read_exercise(facts)
    assert [(one.id, one.who) for one in exercise.findings] == [("f1", "Mia")]
    assert len(exercise.problems) == 1


def test_no_fact_makes_an_empty_exercise() -> None:
    assert read_exercise([]).last_s == 0.0
