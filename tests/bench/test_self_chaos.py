"""Chaos for brownout itself: what counts as a problem, and attacked runs of which nothing is left."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bench.attacks import ATTACKS
from bench.self_chaos import EARLIEST_S, EXPERIMENTS, LATEST_S, attacked, longest, plan, problems_of, table
from bench.small_disk import can_mount
from tests.support.run_helpers import write_experiment


def reports(*codes: int) -> list[dict[str, Any]]:
    return [{"exit": code, "verdict": code} for code in codes]


def row(attack: str = "SIGKILL gateway", **more: Any) -> dict[str, Any]:
    """A run that was attacked during the load, and answered as it should."""
    nothing: dict[str, Any] = {"left": [], "lived_s": 0.1, "listening": [], "pending": [], "tracebacks": []}
    ended = {
        "attacked": True,
        "phase": "fault",
        "exit": 5,
        "event": "failed",
        "recorded": True,
        "reports": reports(5, 5),
    }
    return {"attack": attack, "ended_after_s": 1.0, **nothing, **ended, **more}


def test_the_plan_is_drawn_from_the_number_and_takes_every_attack_in_turn() -> None:
    names = list(ATTACKS)
    plans = [plan(number, names) for number in range(200)]
    assert plans == [plan(number, names) for number in range(200)]
    assert [attack.name for _, attack, _ in plans[: len(names)]] == names
    assert {experiment for experiment, _, _ in plans} == set(EXPERIMENTS)
    moments = [at_s for _, _, at_s in plans]
    assert EARLIEST_S <= min(moments) < 2 < 20 < max(moments) <= LATEST_S


@pytest.mark.parametrize(
    "answered",
    [
        row(),
        row("SIGINT runner", exit=130, event="interrupted", reports=reports(130, 130)),
        row("SIGINT runner", exit=-2, event="", phase="", recorded=False, reports=[]),
        row("SIGINT twice", exit=130, event="", reports=reports(3, 3)),
        row("SIGKILL runner", exit=-9, event="", reports=reports(3, 3)),
        row("flood of the collector", exit=0, event="finished", reports=reports(0, 0)),
        row(exit=1, event="finished", attacked=False, phase="end", reports=reports(1, 1)),
        row(exit=1, event="finished", phase="drain", reports=reports(1, 1)),
        row("SIGKILL runner", phase="end", exit=-9, event="finished", reports=reports(0, 0)),
        row("SIGINT runner", phase="end", exit=130, event="finished", reports=reports(1, 1)),
        row("full disk", phase="end", event="finished", reports=reports(0, 0)),
        row("SIGSTOP runner", phase="", exit=3, event="finished", reports=reports(3, 3)),
        row("SIGKILL runner", phase="", exit=-9, event="", reports=[{"exit": 2, "verdict": None}] * 2),
    ],
)
def test_a_run_that_answered_as_documented_has_no_problem(answered: dict[str, Any]) -> None:
    assert problems_of(answered) == []


FINISHED: dict[str, Any] = {"exit": 0, "event": "finished", "reports": reports(0, 0)}


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (row(left=[17]), "a process is left: 17"),
        (row(lived_s=4.0), "processes lived for 4.0 s after its end (limit 3 s)"),
        (row(listening=[8000]), "a port still listens: 8000"),
        (row(pending=["f1"]), "the write-ahead file lists f1"),
        (row(tracebacks=["the output"]), "a traceback in the output"),
        (row(reports=reports(5, 3)), "`report` gives 5, then 3"),
        (row(reports=reports(3, 3)), "`report` gives 3, the run gave 5"),
        (row(reports=[{"exit": 5, "verdict": None}] * 2), "`report` gives 5, and report.json has None"),
        (row(exit=1), "exit code 1, attacked in fault: the record says failed"),
        (row(**FINISHED), "exit code 0, attacked in fault: the record says finished"),
        (row(attacked=False), "exit code 5, not attacked: the record says failed"),
        (row("flood of the collector"), "exit code 5, attacked in fault: the record says failed"),
        (row("SIGINT runner"), "exit code 5, attacked in fault: the record says failed"),
        (row("SIGINT runner", exit=-2, event=""), "exit code -2, attacked in fault: the record says nothing"),
        (row("SIGTERM runner", exit=143, event=""), "exit code 143, attacked in fault: the record says nothing"),
        (row("SIGINT runner", exit=130, event="finished"), "exit code 130, but the record says finished"),
        (
            row("SIGKILL runner", phase="end", exit=-9, event="finished", reports=reports(5, 5)),
            "exit code 5, but the record says finished",
        ),
        (
            row("SIGKILL runner", exit=-9, event="", reports=reports(0, 0)),
            "`report` gives 0 for a record that was not closed",
        ),
    ],
)
def test_each_thing_that_does_not_hold_is_named(found: dict[str, Any], problem: str) -> None:
    assert problem in problems_of(found)


def test_an_interrupted_run_that_takes_too_long_is_a_problem() -> None:
    late = row("SIGINT twice", exit=130, event="interrupted", reports=reports(130, 130), ended_after_s=2.5)
    assert problems_of(late) == ["it ended 2.5 s after the attack (limit 2 s)"]


def test_the_table_counts_runs_codes_and_problems() -> None:
    rows = [row(), row(left=[17]), row("full disk")]
    assert table(rows).splitlines()[2:] == [
        "| SIGKILL gateway | 2 | 2 | 2 x 5 | 1 |",
        "| full disk | 1 | 1 | 1 x 5 | nothing |",
    ]


def test_the_longest_times_are_of_attacks_that_hit() -> None:
    rows = [
        row(lived_s=1.25),
        row("SIGINT runner", ended_after_s=2.5),
        row("SIGINT runner", ended_after_s=30.0, attacked=False),
        row("SIGINT twice", ended_after_s=0.5),
    ]
    times = "SIGINT runner 2.5 s, SIGINT twice 0.5 s"
    lived = "No process lived longer than 1.2 s after its command."
    assert longest(rows) == f"The command ended after, at most: {times}. {lived}"


IN_MAKE_TEST = ("SIGKILL replica",)
"""What no test of `tests/chaos/runner` does to a whole run. The others are played by `make test-long`."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(number, name, marks=[] if name in IN_MAKE_TEST else [pytest.mark.long], id=name)
        for number, name in enumerate(ATTACKS)
    ],
)
def test_nothing_is_left_of_an_attacked_run_and_its_record_is_true(number: int, name: str, tmp_path: Path) -> None:
    if ATTACKS[name].needs_disk and not can_mount():
        pytest.skip("a file system cannot be mounted here")
    at_s = random.Random(number).uniform(0.2, 4.5)
    experiment = write_experiment(tmp_path)
    result = attacked(number, ATTACKS[name], (str(experiment),), at_s, tmp_path / "runs", from_load=True)
    assert result["attacked"]
    assert problems_of(result) == [], result
