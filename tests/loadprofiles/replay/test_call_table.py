from __future__ import annotations

from pathlib import Path

import pytest

from loadprofiles.replay.call_table import CallTable
from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import CommonPrefix, RecordedCall
from reports.shared.errors import InvalidFile


def test_a_call_that_covers_the_previous_one_continues_its_conversation() -> None:
    table = CallTable("row")
    first = table.add(10.0, 100, 20, took_s=4.0)
    second = table.add(20.0, 120, 5, after=first)
    table.add(21.0, 60, 5, after=second)
    assert (len(table), table.calls, table.input_tokens(second)) == (1, 3, 120)
    steps = table[0].main.steps
    assert all(isinstance(step, RecordedCall) for step in steps)
    assert [(step.wait_s, step.common) for step in steps if isinstance(step, RecordedCall)] == [
        (0.0, None),
        (6.0, CommonPrefix(0, None)),
        (1.0, None),
    ]


def test_sessions_are_sorted_by_start_and_counted_from_the_first() -> None:
    table = CallTable("row")
    for at_s in (9.0, 4.0, 7.0):
        table.add(at_s, int(at_s), 1)
    assert list(table.sort()) == [0.0, 3.0, 5.0]
    sizes = [step.input_tokens for i in range(3) for step in table[i].main.steps if isinstance(step, RecordedCall)]
    assert sizes == [4, 7, 9]


def test_an_empty_table_is_reported() -> None:
    with pytest.raises(InvalidFile, match="contains no call: all failed"):
        CallTable("row").recorded([Path("a.csv")], Mistakes(), skip_bad=False, notes=("all failed",))
