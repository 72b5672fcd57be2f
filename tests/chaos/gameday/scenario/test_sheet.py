"""A plan in the order of its times, and repairs in words."""

from __future__ import annotations

from pathlib import Path

from chaos.gameday.core.plan import Repair
from chaos.gameday.scenario.repair_text import repairs_text
from chaos.gameday.scenario.sheet import clock_text, sheet
from tests.support.scenario_files import made


def test_the_sheet_has_everything_in_the_order_of_its_times(tmp_path: Path) -> None:
    rows = [(clock_text(row.at_s), row.what, row.text) for row in sheet(made(tmp_path).plan)]
    assert rows[:4] == [
        ("3:00", "fault", "slow: slow_decode on tpu-1 (factor 8), until it is repaired or reverted"),
        ("5:00", "event", "A customer: It is slow. (answer within 2 min)"),
        ("8:00", "hint", "Compare the replicas. (unless people know the cause)"),
        ("12:00", "branch", "b1, if it is not repaired: It gets worse."),
    ]
    assert [what for _, what, _ in rows[4:]] == ["fault", "hint"]
    assert all(text.endswith("(only with b1)") for *_, text in rows[4:])


def test_a_branch_that_ends_the_exercise_says_so(tmp_path: Path) -> None:
    old = "    faults:\n      - {kill: {pool: nvidia}}\n    hints:\n      - {after: 13m, text: Look at the pools.}\n"
    (row,) = [row for row in sheet(made(tmp_path, old, "    end: true\n").plan) if row.what == "branch"]
    assert row.text.endswith("It gets worse. The exercise ends then.")


def test_repairs_in_words_keep_what_counts_together() -> None:
    restarts = [Repair(operation="restart", arguments={"replica": name}) for name in ("tpu-0", "tpu-1")]
    other = Repair(operation="add_pool", arguments={"pool": "spare"})
    assert repairs_text([*restarts, other]) == "restart tpu-0 and tpu-1, or add pool spare"
    assert repairs_text([Repair(operation="restart_gateway")]) == "restart gateway"
    assert repairs_text([]) == "nothing that responders can do"
    assert repairs_text(None) == "what repairs a fault of its kind"
