"""Values, changes and reasons of a gate's result as text."""

from __future__ import annotations

import math

import pytest

from reports.writers.gate.words import (
    accepted_text,
    change_text,
    deciding_text,
    detectable_text,
    gate_value_text,
    interval_cell,
    other_reasons,
    run_name,
    seeds_text,
    time_text,
    values_text,
    verdict_text,
)
from tests.support.gate_results import (
    NOTHING,
    compared,
    experiment,
    failed_result,
    gate,
    inconclusive_result,
    measure,
    passed_result,
    regression_result,
    run,
)


def test_a_value_is_shown_with_its_interval_and_the_bound() -> None:
    timed = gate("x", unit="s", op="<=", bound=2.0, value=3.1, interval=(2.8, 3.5))
    assert gate_value_text(timed) == "3.1 s (95% interval 2.8 s to 3.5 s), required <= 2 s"
    assert gate_value_text(gate(value=None)) == "not measured, required == 0"
    assert gate_value_text(gate(value=math.inf, unit="s")) == "never (exact), required == 0 s"


def test_an_interval_names_its_level_where_it_is_not_the_usual_one() -> None:
    assert interval_cell(gate(interval=(1.0, math.inf), level=0.995)) == "1 or more (99.5%)"
    assert interval_cell(gate(interval=(1.0, 2.0))) == "1 to 2"
    assert interval_cell(gate(runs_judged=3)) == "worst of 3 runs"
    assert interval_cell(gate(value=None)) == ""


def test_changes_are_relative_or_in_the_unit_of_the_measure() -> None:
    assert change_text(measure(change=0.183, interval=(0.12, 0.24))) == ("+18.3%", "+12% to +24%")
    share = measure(unit="share", relative=False, change=-0.014, interval=None)
    assert change_text(share) == ("-1.4 points", "")
    assert change_text(measure(change=math.inf, interval=(-math.inf, math.inf)))[0] == "+infinite"


def test_a_measure_that_no_run_has_is_shown_without_values() -> None:
    unknown = measure(**NOTHING, why="ttft.p95: not measured in any run")
    assert values_text(unknown) == ("not measured", "not measured")
    assert change_text(unknown) == ("unknown", "")
    assert values_text(measure()) == ("1.02 s", "1 s")


def test_accepted_and_detectable_changes_name_the_bad_direction() -> None:
    assert accepted_text(measure()) == "10% more"
    assert accepted_text(measure(better="higher", relative=False, unit="share", tolerance=0.02)) == "2 points less"
    assert accepted_text(measure(tolerance=0.0)) == "nothing worse"
    assert detectable_text(measure()) == "7.6% more"
    assert detectable_text(measure(detectable=None)) == detectable_text(measure(detectable=math.inf)) == "unknown"


def test_the_headline_gate_decides_before_other_gates_and_measures() -> None:
    gates = [gate("a == 0", "fail"), gate("b == 0", "fail", headline=True)]
    assert deciding_text(experiment(gates=gates, comparison=compared(measure(verdict="fail"))))[0] == "b == 0"
    assert deciding_text(regression_result().experiments[0]) == (
        "ttft.p95 in fault",
        "+18% (+12% to +24%) compared with the base, accepted: 10% more",
    )
    assert deciding_text(inconclusive_result().experiments[0])[0] == "ttft.p95 in fault <= 2 s"
    assert deciding_text(passed_result().experiments[0]) == ("", "")


def test_only_reasons_that_nothing_else_says_are_other_reasons() -> None:
    one = failed_result().experiments[0]
    assert other_reasons(one) == []
    assert other_reasons(
        experiment(why=("the record is damaged: spans", "All gates passed"), sentence="all gates passed.")
    ) == ["the record is damaged: spans"]


def test_runs_are_numbered_on_their_own_side() -> None:
    one = experiment(runs=(run(4, side="base"), run(4), run(5, side="base"), run(5)))
    assert [run_name(one, its) for its in one.runs] == [
        "run 1 of 2 of the base, seed 4",
        "run 1 of 2, seed 4",
        "run 2 of 2 of the base, seed 5",
        "run 2 of 2, seed 5",
    ]
    assert seeds_text(one.runs) == "4, 5"


@pytest.mark.parametrize(
    ("seconds", "text"), [(61.25, "61 s"), (754.4, "12 min 34 s"), (math.nan, "unknown"), (0, "0 s")]
)
def test_times_are_whole_seconds(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_a_verdict_that_is_not_known_is_shown_as_it_is() -> None:
    assert [verdict_text(one) for one in ("pass", "fail", "failed", "aborted", "new")] == [
        "✓ passed",
        "✗ failed",
        "✗ broken",
        "■ aborted",
        "■ new",
    ]
