"""The tables of a summary: the order of their rows, and the columns that they need."""

from __future__ import annotations

from reports.writers.gate.tables import gates_table, measures_table, overview_table, runs_table
from tests.support.gate_results import (
    NOTHING,
    failed_result,
    gate,
    measure,
    passed_result,
    regression_result,
    run,
)


def rows(table: str) -> list[list[str]]:
    """The cells of a table, with ordinary spaces."""
    plain = table.replace("\u00a0", " ")
    return [line.strip("| ").split(" | ") for line in plain.splitlines() if not line.startswith("|-")]


def test_gates_that_failed_come_first_then_those_not_decided() -> None:
    head, *body = rows(gates_table(failed_result().experiments[0].gates))
    assert head == ["gate", "verdict", "value", "95% interval", "each run"]
    assert [row[1] for row in body] == ["**✗ failed**", "**✗ failed**", "**? inconclusive**", "✓ passed", "✓ passed"]
    assert body[0] == ["`sessions_lost == 0`", "**✗ failed**", "31", "worst of 3 runs", "24, 19, 31"]
    assert body[2][-1] == "1.8 s, 2.1 s, -"
    assert body[3][0] == "`session_success >= 90%` (before the fault)"


def test_gates_of_a_single_run_have_no_column_for_each_run() -> None:
    assert rows(gates_table([gate()])) == [
        ["gate", "verdict", "value", "95% interval"],
        ["`sessions_lost == 0`", "✓ passed", "0", "exact"],
    ]


def test_a_measure_has_its_change_what_is_accepted_and_what_could_be_found() -> None:
    comparison = regression_result().experiments[0].comparison
    assert comparison is not None
    _, first, second, *_ = rows(measures_table(comparison.measures))
    assert first == [
        "`ttft.p95 in fault`",
        "**✗ failed**",
        "1 s → 1.18 s",
        "+18%",
        "+12% to +24%",
        "10% more",
        "7.6% more",
    ]
    assert second[0] == "`slo_attainment in fault`"


def test_a_measure_that_no_run_has_is_not_measured_on_both_sides() -> None:
    unknown = measure(verdict="inconclusive", **NOTHING, why="not measured in any run")
    assert rows(measures_table([unknown]))[1][1:5] == [
        "**? inconclusive**",
        "not measured → not measured",
        "unknown",
        "",
    ]


def test_a_run_that_does_not_count_says_so() -> None:
    head, first, second = rows(runs_table([run(1, sound=False, doubts=("late tokens",)), run(2, side="base")]))
    assert head == ["run", "side", "verdict", "seed", "duration", "doubts", "folder"]
    assert first == ["1", "head", "✓ passed", "1", "61 s", "not counted: late tokens", "`runs/head-1/report.html`"]
    assert second[1] == "base"


def test_the_overview_has_a_row_per_experiment() -> None:
    experiments = (*failed_result().experiments, *regression_result().experiments, *passed_result().experiments)
    head, *body = rows(overview_table(experiments))
    assert head == ["experiment", "target", "verdict", "gates", "compared with the base", "runs", "time"]
    assert [row[3] for row in body] == ["2 failed, 1 inconclusive of 5", "none failed of 2", "none failed of 2"]
    assert [row[4] for row in body] == ["-", "1 of 4 measures worse", "-"]
