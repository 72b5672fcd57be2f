"""The tables of the post-mortem."""

from __future__ import annotations

import copy
from typing import Any

from reports.writers.postmortem.view import MOST_ROWS, postmortem_view


def test_truth_stands_beside_what_people_believed(exercise_report: dict[str, Any]) -> None:
    view = postmortem_view(exercise_report)
    assert view["truth"].rows[0][2:4] == (
        "a cloud or pool is lost",
        "replica tpu-0, replica tpu-1, pool tpu, cloud gcp",
    )
    assert view["truth"].rows[0][5] == "repaired by operation 2"
    assert [row[4] for row in view["beliefs"].rows] == ["wrong", "right"]


def test_actions_have_the_owner_who_wrote_them(exercise_report: dict[str, Any]) -> None:
    rows = postmortem_view(exercise_report)["actions"].rows
    assert rows == [("alert on open breakers", "Ada", ""), ("TODO: write a runbook", "Ada", "")]


def test_what_held_and_what_did_not_is_there(exercise_report: dict[str, Any]) -> None:
    view = postmortem_view(exercise_report)
    assert [row[1] for row in view["findings"].rows] == ["found", "NOT found"]
    good = next(row for row in view["numbers"].rows if row[0] == "good calls")
    assert good[1] == "100%"
    assert good[2] != "100%"
    assert view["operations"].rows[1][4] == "repaired h1"
    assert view["questions"].rows[0][4] == "5 s (late: expected within 2 s)"


def test_what_is_left_out_of_the_table_is_counted(exercise_report: dict[str, Any]) -> None:
    data = copy.deepcopy(exercise_report)
    note = {"t_s": 1.0, "who": "Bo", "role": "audience", "text": "x"}
    data["exercise"]["notes"] = [note] * (MOST_ROWS + 5)
    data["exercise"]["left_out"] = {"notes": 100}
    view = postmortem_view(data)
    assert len(view["by_time"].rows) == MOST_ROWS
    assert view["left_out"] > 105
