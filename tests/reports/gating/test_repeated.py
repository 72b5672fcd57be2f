"""Gates over the runs of one experiment."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.repeats import gate_row, report_of
from brownout.result import GateResult
from reports.gating.repeated import judge_over_runs

LATE = "3.0% of the replicas' tokens were over 20 ms late (limit 1%)"
SEVERE: dict[str, Any] = {"machine_doubts": [LATE], "severe_doubts": [LATE]}


def lost(value: float | None, **more: Any) -> dict[str, Any]:
    return gate_row("sessions_lost == 0", "fact", "count", "==", 0, value, **more)


def success(value: float, width: float = 0.01, **more: Any) -> dict[str, Any]:
    ends = [max(0.0, value - width), min(1.0, value + width)]
    own = {"interval": ends, "effective_samples": 200.0, "samples": 400, **more}
    return gate_row("session_success >= 90%", "rate", "share", ">=", 0.9, value, **own)


def recover(value: Any, **more: Any) -> dict[str, Any]:
    row = gate_row("time_to_recover <= 8 s", "fact", "s", "<=", 8, math.inf if value == "never" else value, **more)
    return {**row, "value": value}


def slow(value: float, high: Any, **more: Any) -> dict[str, Any]:
    own = {"interval": [value * 0.9, high], "samples_needed": 72, "effective_samples": 90.0, **more}
    verdict = {} if high != "never" else {"judged": "inconclusive", "verdict": "inconclusive"}
    row = gate_row("ttft.p95 <= 2 s", "percentile", "s", "<=", 2, value, **{**own, "interval": None})
    return {**row, **own, **verdict}


def run(gate: dict[str, Any], seed: int = 1, **doubts: Any) -> dict[str, Any]:
    report = report_of([gate], seed)
    return {**report, "proofs": {**report["proofs"], **doubts}}


def judged(*gates: dict[str, Any], level: float = 0.95) -> GateResult:
    (found,) = judge_over_runs([run(gate, seed) for seed, gate in enumerate(gates, 11)], level)
    return found


def test_one_run_keeps_its_own_verdict() -> None:
    gate = success(0.93, why="93% (95%: 92% to 94%), as required (>= 90%)")
    found = judged(gate)
    assert (found.verdict, found.value, found.interval, found.why) == (
        "pass",
        0.93,
        tuple(gate["interval"]),
        gate["why"],
    )
    assert (found.runs_judged, found.values, found.headline, found.steady_state) == (1, (0.93,), True, False)


def test_one_run_keeps_the_verdict_of_on_inconclusive() -> None:
    gate = success(0.9, on_inconclusive="pass", verdict="pass", judged="inconclusive", why="x (on_inconclusive: pass)")
    found = judged(gate)
    assert (found.verdict, found.why) == ("pass", "x (on_inconclusive: pass)")


def test_a_count_fails_if_one_run_fails_and_names_it() -> None:
    found = judged(lost(0.0), lost(3.0), lost(0.0))
    assert (found.verdict, found.value, found.interval) == ("fail", 3.0, None)
    assert found.why == "3 in run 2 (seed 12), not == 0; 1 of 3 runs failed"
    assert found.values == (0.0, 3.0, 0.0)


def test_a_count_passes_if_each_run_passes() -> None:
    found = judged(lost(0.0), lost(0.0))
    assert (found.verdict, found.why) == ("pass", "0 in each of 2 runs, as required (== 0)")


def test_the_worst_of_several_counts_is_shown() -> None:
    rows = [gate_row("migrations <= 4", "fact", "count", "<=", 4, value) for value in (1.0, 4.0, 2.0)]
    assert judged(*rows).why == "4 in run 2 (seed 12), the worst of 3 runs, as required (<= 4)"
    rows = [gate_row("shed >= 3", "fact", "count", ">=", 3, value) for value in (9.0, 4.0)]
    assert judged(*rows).value == 4.0


def test_a_count_that_one_run_leaves_undecided_is_undecided() -> None:
    doubted = lost(2.0, judged="inconclusive", why="2, not == 0; but the machine was late")
    found = judged(lost(0.0), doubted, lost(0.0))
    assert found.verdict == "inconclusive"
    assert "first run 2 (seed 12): 2, not == 0; but the machine was late" in found.why


def test_a_failed_count_counts_in_an_unsound_run_and_a_passed_one_does_not() -> None:
    (failed,) = judge_over_runs([run(lost(0.0)), run(lost(1.0), **SEVERE)])
    assert failed.verdict == "fail"
    (passed,) = judge_over_runs([run(lost(0.0), 1, **SEVERE), run(lost(0.0), 2, **SEVERE)])
    assert (passed.verdict, passed.runs_judged) == ("inconclusive", 0)
    assert "; runs 1 and 2 do not count: the machine was far too slow" in passed.why


def test_shares_are_judged_by_their_interval_over_runs() -> None:
    found = judged(success(0.95), success(0.96), success(0.97))
    assert found.interval is not None
    assert (found.verdict, found.runs_judged) == ("pass", 3)
    assert found.value == pytest.approx(0.96)
    assert found.why.startswith("96% over 3 runs (95%: 93.")
    assert judged(success(0.93), success(0.99), success(0.91)).verdict == "inconclusive"
    assert judged(success(0.8), success(0.81), success(0.8)).verdict == "fail"


def test_a_run_that_fails_by_itself_is_not_outweighed() -> None:
    found = judged(*(success(0.99) for _ in range(9)), success(0.88, why="88%, not >= 90%"))
    assert found.verdict == "inconclusive"
    assert "but run 10 (seed 20) fails by itself: 88%, not >= 90%" in found.why


def test_a_time_that_never_came_fails() -> None:
    found = judged(recover(1.0), recover("never"), recover(1.2))
    assert (found.verdict, found.value) == ("fail", math.inf)
    assert found.why == "never in run 2 (seed 12), not <= 8 s"


def test_exact_times_are_judged_by_their_interval_over_runs() -> None:
    assert judged(recover(1.0), recover(1.4), recover(0.9)).verdict == "pass"
    assert judged(recover(1.0), recover(7.0), recover(3.0)).verdict == "inconclusive"
    assert judged(recover(0.0), recover(0.0), recover(0.0)).verdict == "pass"


def test_percentiles_of_too_few_calls_do_not_pass() -> None:
    found = judged(*(slow(0.5, "never") for _ in range(5)))
    assert (found.verdict, found.interval and found.interval[1]) == ("inconclusive", math.inf)
    assert judged(*(slow(0.5, 0.7) for _ in range(5))).verdict == "pass"
    assert judged(*(slow(5.0, "never") for _ in range(5))).verdict == "fail"


def test_a_single_run_of_several_decides_no_share() -> None:
    reports = [run(success(0.99), 1), run(success(0.99), 2, **SEVERE), run(success(0.99), 3, **SEVERE)]
    (found,) = judge_over_runs(reports)
    assert (found.verdict, found.runs_judged, found.value) == ("inconclusive", 1, 0.99)
    assert found.why.startswith(
        "an interval over runs needs 2 runs, and of 3 only run 1 (seed 1) counts; runs 2 and 3 do"
    )


def test_runs_on_a_late_machine_may_pass_a_time_together_but_not_fail_it() -> None:
    def over(*gates: dict[str, Any]) -> GateResult:
        return judge_over_runs([run(gate, machine_doubts=[LATE]) for gate in gates])[0]

    assert over(slow(0.5, 0.7), slow(0.6, 0.8), slow(0.5, 0.7)).verdict == "pass"
    assert over(slow(0.5, 0.7), slow(0.6, 0.8), {**slow(1.9, 2.4), "judged": "inconclusive"}).verdict == "inconclusive"
    assert over(slow(5.0, 6.0), slow(5.0, 6.0), slow(5.0, 6.0)).verdict == "inconclusive"


def test_a_value_that_its_run_doubts_lets_no_share_pass() -> None:
    doubted = success(0.99, judged="inconclusive", why="99%; but 16 of 54 sessions were still running at the end")
    found = judged(success(0.99), success(0.99), success(0.99), doubted)
    assert found.verdict == "inconclusive"
    assert "run 4 (seed 14) is in doubt: 16 of 54 sessions were still running" in found.why
    assert judged(success(0.5), success(0.5), success(0.5), doubted).verdict == "fail"


def test_a_crashed_check_is_inconclusive() -> None:
    crash = {**success(0.99), "value": None, "interval": None, "judged": "inconclusive", "traceback": "Traceback"}
    assert judged(success(0.99), success(0.99), success(0.99), crash).verdict == "inconclusive"
    assert judged(lost(0.0), lost(None, judged="inconclusive", traceback="x")).verdict == "inconclusive"


def test_a_relative_gate_compares_factors() -> None:
    rows = [
        {**slow(0.9, 1.0), "bound": 2.0, "relative_to_baseline": True, "factor": factor, "interval": [1.0, 1.3]}
        for factor in (1.1, 1.2, 1.15)
    ]
    found = judged(*rows)
    assert (found.unit, found.verdict, found.values) == ("x", "pass", (1.1, 1.2, 1.15))
    assert "as required (<= 2 x baseline)" in found.why


def test_on_inconclusive_settles_what_the_runs_do_not_decide() -> None:
    found = judged(*(success(value, on_inconclusive="fail") for value in (0.85, 0.95)))
    assert found.verdict == "fail"
    assert found.why.endswith("(on_inconclusive: fail)")


def test_gates_are_matched_by_text_and_section_with_the_steady_state_first() -> None:
    one, other = report_of([lost(0.0), recover(1.0)]), report_of([recover(1.0)])
    one["steady_state"] = other["steady_state"] = [lost(0.0)]
    found = judge_over_runs([one, other])
    assert [(gate.text, gate.steady_state, gate.runs_judged) for gate in found] == [
        ("sessions_lost == 0", True, 2),
        ("sessions_lost == 0", False, 1),
        ("time_to_recover <= 8 s", False, 2),
    ]
    assert "run 2 (seed 1) does not count: it has no such gate" in found[1].why
    with pytest.raises(ValueError, match="no run"):
        judge_over_runs([])


def test_a_single_run_at_a_higher_level_has_a_wider_interval() -> None:
    tight = success(0.95, 0.03)
    assert judged(tight, level=0.95).verdict == "pass"
    wide = judged({**tight, "effective_samples": 100.0}, level=0.995)
    assert (wide.verdict, wide.level) == ("inconclusive", 0.995)
    assert "99.5%" in wide.why
    too_few = judged(slow(1.0, 1.2), level=0.995)
    assert (too_few.verdict, too_few.interval and too_few.interval[1]) == ("inconclusive", math.inf)
    assert judged(lost(0.0), level=0.995).verdict == "pass"


shares = st.floats(0.0, 1.0).map(lambda value: round(value, 3)).map(success)
times = st.floats(0.01, 60.0).map(lambda value: round(value, 2)).map(recover)
counts = st.integers(0, 3).map(float).map(lost)
series = st.one_of(*(st.lists(kind, min_size=2, max_size=8) for kind in (shares, times, counts)))
ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}


@given(series, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_runs_does_not_matter(gates: list[dict[str, Any]], random: Any) -> None:
    shuffled = gates.copy()
    random.shuffle(shuffled)
    one, other = judged(*gates), judged(*shuffled)
    assert (one.verdict, one.value, one.interval) == (other.verdict, other.value, other.interval)


@given(series, st.data())
@settings(max_examples=40, deadline=None)
def test_a_further_run_that_fails_never_lets_a_failed_gate_pass(gates: list[dict[str, Any]], data: Any) -> None:
    kind = {"share": shares, "s": times, "count": counts}[gates[0]["unit"]]
    failing = data.draw(kind.filter(lambda gate: gate["judged"] == "fail"))
    before, after = judged(*gates).verdict, judged(*gates, failing).verdict
    assert not (before == "fail" and after == "pass")
    if gates[0]["unit"] == "count":
        assert after == "fail"
    if gates[0]["unit"] == "share":
        assert after != "pass"


@given(series, st.data())
@settings(max_examples=40, deadline=None)
def test_runs_that_may_not_judge_never_change_a_verdict(gates: list[dict[str, Any]], data: Any) -> None:
    kind = {"share": shares, "s": times, "count": counts}[gates[0]["unit"]]
    unsound = data.draw(st.lists(kind, min_size=1, max_size=3))
    if gates[0]["unit"] == "count":
        unsound = [gate for gate in unsound if gate["judged"] == "pass"]
    reports = [run(gate) for gate in gates]
    extra = [run(gate, **SEVERE) for gate in unsound]
    (before,), (after,) = judge_over_runs(reports), judge_over_runs([*reports, *extra])
    assert (before.verdict, before.value, before.interval) == (after.verdict, after.value, after.interval)
