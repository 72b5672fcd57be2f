"""Facts are checked one by one: a damaged one is left out and named."""

from __future__ import annotations

from typing import Any

import pytest

from reports.gameday.facts import DATA, LONGEST_TEXT, facts_of
from reports.record.lines import EXERCISE_EVENTS


def test_each_event_of_the_record_has_its_data() -> None:
    assert list(DATA) == list(EXERCISE_EVENTS)


@pytest.mark.parametrize(
    "row",
    [
        {"event": "belief", "t_s": 1.0, "data": {"n": 1, "cause": 7, "component": "load"}},
        {"event": "belief", "t_s": 1.0, "data": {"n": 1}},
        {"event": "belief", "t_s": 1.0, "data": [1, 2]},
        {"event": "operation", "t_s": 1.0, "data": {"n": "x", "operation": "restart"}},
        {"event": "no such event", "t_s": 1.0},
        {"event": "note", "t_s": float("nan")},
        {"event": "note", "t_s": "soon"},
        {"event": "note"},
    ],
)
def test_a_fact_that_is_wrong_is_left_out_and_named(row: dict[str, Any]) -> None:
    problems: list[str] = []
    good = {"event": "note", "who": "Ada", "text": "fine", "t_s": 2.0}
    assert [fact.text for fact in facts_of([row, good, row], problems)] == ["fine"]
    (problem,) = problems
    assert problem.startswith(f"2 facts {row['event']!r} of the exercise cannot be read")


def test_facts_are_in_the_order_of_time_and_their_texts_bounded() -> None:
    rows = [{"event": "note", "t_s": t_s, "who": "A\nda", "text": "x" * 9_000} for t_s in (3.0, 1.0)]
    first, second = facts_of(rows, [])
    assert (first.t_s, second.t_s) == (1.0, 3.0)
    assert first.who == "A da"
    assert len(first.text) == LONGEST_TEXT


def test_data_of_a_newer_version_are_read() -> None:
    row = {"event": "reverted", "t_s": 1.0, "data": {"fault": "h1", "why": "a new reason", "more": 1}}
    (fact,) = facts_of([row], [])
    assert (fact.data.fault, fact.data.why) == ("h1", "a new reason")
