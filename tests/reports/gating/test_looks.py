"""--until-decided: when a series of looks stops."""

from __future__ import annotations

from typing import Any

import pytest

from bench.repeats import gate_row, report_of
from reports.gating.looks import Look, level_of, look
from tests.reports.gating.test_repeated import LATE, SEVERE, lost, run, slow, success


def looked(*gates: dict[str, Any]) -> Look:
    return look([run(gate, seed) for seed, gate in enumerate(gates, 1)], len(gates))


def test_each_look_spends_a_tenth_of_the_error() -> None:
    found = looked(success(0.95), success(0.96), success(0.95))
    assert level_of(10) == pytest.approx(0.995)
    assert found.gates[0].level == level_of(10)
    assert "(99.5%: " in found.gates[0].why
    assert found.gates[0].why.endswith("(look 3 of at most 10, each at 99.5%)")


def test_fewer_looks_share_the_same_error() -> None:
    reports = [run(success(value), seed) for seed, value in enumerate((0.95, 0.96, 0.95), 1)]
    found = look(reports, 1, 1)
    assert found.gates[0].level == pytest.approx(0.95)
    assert found.gates[0].why.endswith("(look 1 of at most 1, each at 95.0%)")
    with pytest.raises(ValueError, match="look 2 of 1"):
        look(reports, 2, 1)


def test_one_run_decides_counts_but_no_share() -> None:
    assert looked(lost(0.0)) == Look(looked(lost(0.0)).gates, True, "every gate is decided")
    one = looked(success(0.99))
    assert (one.decided, one.why_stop, one.gates[0].verdict) == (False, "", "inconclusive")


def test_a_share_is_decided_as_soon_as_its_interval_is_clear() -> None:
    clear = [success(0.99, 0.005)] * 5
    stopped = [bool(looked(*clear[:n]).why_stop) for n in range(1, 6)]
    assert stopped == [False, False, True, True, True]
    assert looked(*clear).decided


def test_a_failed_gate_ends_the_series() -> None:
    found = looked(lost(0.0), lost(2.0))
    assert (found.decided, found.why_stop) == (True, "a gate failed: sessions_lost == 0")


def test_a_run_that_stayed_down_ends_the_series() -> None:
    down = report_of([success(0.99)], verdict={"verdict": "metastable", "why": ["down after the trigger was gone"]})
    assert look([down], 1).why_stop == "run 1 failed: down after the trigger was gone"


def test_the_tenth_look_is_the_last() -> None:
    near = [success(value) for value in (0.86, 0.94) * 5]
    assert looked(*near[:9]).why_stop == ""
    last = looked(*near)
    assert (last.decided, last.why_stop) == (False, "all 10 looks were used")
    with pytest.raises(ValueError, match="look 11"):
        look([run(near[0])], 11)


def test_a_gate_that_no_run_can_decide_ends_the_series_after_three_runs() -> None:
    missing = gate_row("time_to_detect <= 3 s", "fact", "s", "<=", 3, None, why="not measured: no gateway reports it")
    assert looked(missing, missing).why_stop == ""
    found = looked(missing, missing, missing)
    assert not found.decided
    assert found.why_stop.startswith("time_to_detect <= 3 s cannot be decided by more runs: no run measured it")
    assert "no gateway reports it" in found.gates[0].why


def test_a_percentile_of_too_few_calls_ends_the_series_after_three_runs() -> None:
    few = [slow(0.5, "never")] * 3
    assert looked(*few[:2]).why_stop == ""
    assert "too few independent samples for the upper end (needed: 72 a run)" in looked(*few).why_stop


def test_a_count_that_stays_undecided_ends_the_series() -> None:
    doubted = lost(2.0, judged="inconclusive", why=f"2, not == 0; but {LATE}")
    assert "run 2 (seed 2) stays undecided" in looked(lost(0.0), doubted).why_stop


def test_three_runs_of_which_none_counts_end_the_series() -> None:
    reports = [run(lost(0.0), seed, **SEVERE) for seed in range(3)]
    assert look(reports[:2], 2).why_stop == ""
    assert look(reports, 3).why_stop.startswith("none of the first 3 runs counts: the machine was far too slow")


def test_on_inconclusive_is_no_verdict_before_the_end() -> None:
    lenient = [success(value, on_inconclusive="fail") for value in (0.86, 0.94)]
    found = looked(*lenient)
    assert (found.gates[0].verdict, found.decided, found.why_stop) == ("fail", False, "")
    few = [{**slow(0.5, "never"), "on_inconclusive": "pass"}] * 3
    assert (looked(*few).decided, looked(*few).gates[0].verdict) == (True, "pass")
