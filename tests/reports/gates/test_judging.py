"""Verdicts of gates: pass, fail, and the reasons for inconclusive."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from reports.gates import judging
from reports.gates.grammar import OnInconclusive, parse_gate
from reports.gates.judging import GateVerdict, judge
from reports.gates.operators import OPERATORS
from reports.gates.validity import prove
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement
from reports.measures.registry import MEASURES
from tests.support.record_builder import RecordBuilder, Up, good_run, migrated
from tests.support.record_results import evidence_of, judged


def hit_by_a_kill(record: RecordBuilder) -> RecordBuilder:
    """A good run in which five calls met a kill, and each continued within a second."""
    record.fault()
    for index in range(5):
        record.call(f"m{index}", 0, 19.4, gaps={3: 0.9}, ups=migrated(20.01, resumed=20.84, sent=19.4, passed_on=3))
        record.session(f"m{index}", 19.4, 21.0)
    return record


def test_a_gate_on_a_fact_passes_or_fails_exactly(good: RecordBuilder) -> None:
    hit_by_a_kill(good)
    passes, fails, at = judged(good, "failover.max <= 5 s", "failover.max <= 0.8 s", "failover.max <= 0.900001 s")
    assert (passes.verdict, fails.verdict, at.verdict) == ("pass", "fail", "pass")
    assert passes.interval is None
    assert "900 ms, as required (<= 5 s)" in passes.why
    assert "not <= 800 ms" in fails.why


def test_a_gate_on_a_rate_passes_fails_or_is_undecided_by_its_interval(record: RecordBuilder) -> None:
    for index in range(200):
        record.call(f"s{index}", 0, 6.0 + index / 25, outcome="truncated" if index < 10 else "ok")
        record.session(f"s{index}", 6.0 + index / 25, 15.0, "lost" if index < 10 else "succeeded")
    gates = [f"session_success in baseline >= {share}%" for share in (90, 99, 95)]
    passes, fails, neither = judged(record, *gates)
    assert (passes.verdict, fails.verdict, neither.verdict) == ("pass", "fail", "inconclusive")
    assert passes.value == 0.95
    assert passes.interval == pytest.approx((0.9035, 0.9747), abs=1e-4)
    assert "on both sides of 95%" in neither.why


def test_a_percentile_of_too_few_calls_is_inconclusive_with_the_number_needed(good: RecordBuilder) -> None:
    few, enough = judged(good, "ttft.p99 in baseline <= 2 s", "ttft.p90 <= 2 s")
    assert (few.verdict, few.samples, few.samples_needed) == ("inconclusive", 90, 368)
    assert "500 ms or more" in few.why
    assert "90 calls of 34 sessions count as 32" in few.why
    assert "(a p99 needs 368)" in few.why
    assert enough.verdict == "pass"


def test_a_ratio_or_a_percentile_of_too_few_sessions_is_inconclusive(record: RecordBuilder) -> None:
    for index in range(100):
        record.call(f"s{index % 3}", index, 6.0 + index / 20)
    ratio, percentile = judged(record, "retry_amplification <= 9", "ttft.p95 in baseline <= 2 s")
    assert (ratio.verdict, percentile.verdict) == ("inconclusive", "inconclusive")
    assert "3 sessions: an interval needs 10" in ratio.why
    assert "100 calls of 3 sessions count as 3" in percentile.why


def test_a_percentile_beyond_its_limit_fails_without_an_upper_end(good: RecordBuilder) -> None:
    (gate,) = judged(good, "ttft.p99 in baseline <= 100 ms")
    assert (gate.verdict, gate.interval) == ("fail", (0.5, math.inf))


def test_a_multiple_of_the_baseline_is_judged_by_the_interval_of_the_quotient(record: RecordBuilder) -> None:
    record.fault(kind="slow_decode")
    for index in range(200):
        at = 6.0 + index / 20
        record.call(f"b{index}", 0, at, ttft=0.2 + index / 2000)
        record.call(
            f"f{index}", 0, at + 15, ttft=0.6 + index / 666.6, ups=[Up("tpu-0", at + 15, at + 16, passed_on=11)]
        )
    within, beyond, undecided = judged(
        record,
        "ttft.p50 during fault <= 4 x baseline",
        "ttft.p50 during fault <= 2 x baseline",
        "ttft.p50 during fault <= 3 x baseline",
    )
    assert (within.verdict, beyond.verdict, undecided.verdict) == ("pass", "fail", "inconclusive")
    assert within.factor == pytest.approx(3.0, rel=0.01)
    assert within.baseline == pytest.approx(0.2495)
    assert within.interval is not None
    assert within.interval[0] < 3.0 < within.interval[1]


def test_gates_about_a_fault_that_hit_nothing_are_inconclusive(good: RecordBuilder) -> None:
    good.fault()
    about, before = judged(good, "sessions_lost == 0", "slo_attainment in baseline >= 80%")
    assert (about.verdict, before.verdict) == ("inconclusive", "pass")
    assert "hit nothing" in about.why


def test_gates_about_a_fault_that_was_not_confirmed_are_inconclusive(good: RecordBuilder) -> None:
    hit_by_a_kill(good)
    good.events = [event for event in good.events if event.get("stage") != "confirmed"]
    (gate,) = judged(good, "failover.max <= 5 s")
    assert gate.verdict == "inconclusive"
    assert "was not confirmed" in gate.why


def test_a_gate_on_a_value_that_is_not_measured_is_inconclusive_with_the_reason(good: RecordBuilder) -> None:
    (gate,) = judged(good, "time_to_recover <= 10 s")
    assert (gate.verdict, gate.value) == ("inconclusive", None)
    assert gate.why == "not measured: no fault was injected"


def test_many_unfinished_sessions_make_gates_about_sessions_inconclusive(good: RecordBuilder) -> None:
    for index in range(3):
        good.call(f"u{index}", 0, 45.0)
        good.session(f"u{index}", 45.0, 55.0, "unfinished", silent=1.0)
    sessions, calls = judged(good, "sessions_lost == 0", "silent_truncations == 0")
    assert (sessions.verdict, calls.verdict) == ("inconclusive", "pass")
    assert "3 of 98 sessions were still running" in sessions.why


def test_on_inconclusive_replaces_the_verdict_inconclusive(good: RecordBuilder) -> None:
    evidence = evidence_of(good)
    decisions: tuple[OnInconclusive, ...] = ("pass", "fail")
    for wanted in decisions:
        gate = parse_gate("time_to_recover <= 10 s", on_inconclusive=wanted)
        result = judge(gate, evidence, prove(evidence))
        assert (result.verdict, result.judged) == (wanted, "inconclusive")
        assert f"on_inconclusive: {wanted}" in result.why


def test_a_check_that_crashes_is_inconclusive_with_its_traceback(
    good: RecordBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
        raise ZeroDivisionError("by the measure")

    monkeypatch.setitem(MEASURES, "sessions_lost", broken)
    (gate,) = judged(good, "sessions_lost == 0")
    assert gate.verdict == "inconclusive"
    assert "ZeroDivisionError" in gate.why
    assert "in broken" in gate.traceback


def test_a_run_that_ended_early_can_fail_a_count_and_pass_finished_phases(record: RecordBuilder) -> None:
    record.events.clear()
    record.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0})
    record.fault(stages={"planned": 0.0, "injected": 20.0, "confirmed": 20.1})
    ups = [Up("tpu-0", 21.0, 21.6, "reset", passed_on=3)]
    record.call("s0", 0, 21.0, tokens=3, outcome="truncated", ups=ups)
    for index in range(100):
        record.call(f"b{index}", 0, 6.0 + index / 10)
    lost, more, lengths, truncated, before = judged(
        record,
        "calls_failed == 0",
        "calls == 500",
        "failover.max <= 5 s",
        "silent_truncations == 0",
        "slo_attainment in baseline >= 95%",
    )
    assert (lost.verdict, more.verdict) == ("fail", "inconclusive")  # further calls could make it 500
    assert (lengths.verdict, truncated.verdict) == ("inconclusive", "inconclusive")
    assert "the run ended before the end of its fault and recovery" in truncated.why
    assert before.verdict == "pass"


@pytest.mark.parametrize(
    ("gate", "low", "high", "verdict"),
    [
        ("goodput_lost <= 5%", 0.01, 0.05, "pass"),
        ("goodput_lost <= 5%", 0.051, 0.06, "fail"),
        ("goodput_lost <= 5%", 0.01, 0.06, "inconclusive"),
        ("goodput_lost < 5%", 0.01, 0.05, "inconclusive"),
        ("goodput_lost == 5%", 0.01, 0.06, "inconclusive"),
        ("goodput_lost == 5%", 0.06, 0.07, "fail"),
        ("goodput_lost == 5%", 0.05, 0.05, "pass"),
        ("goodput_lost != 5%", 0.06, 0.07, "pass"),
    ],
)
def test_each_comparison_with_an_interval_has_three_values(gate: str, low: float, high: float, verdict: str) -> None:
    assert judging._verdict(parse_gate(gate), (low + high) / 2, (low, high)) == verdict


def test_an_overloaded_machine_makes_only_gates_on_times_inconclusive(tmp_path_factory: pytest.TempPathFactory) -> None:
    record = good_run(tmp_path_factory.mktemp("busy") / "run")
    record.gauges.clear()
    record.load_gauges(cpu=0.95)
    slow, count = judged(record, "ttft.p95 in baseline <= 2 s", "calls_failed == 0")
    assert (slow.verdict, count.verdict) == ("inconclusive", "pass")
    assert "used 95% of a core" in slow.why


BELOW, ON_BOTH_SIDES, ABOVE = (1.0, 2.0), (2.0, 4.0), (4.0, 5.0)
VERDICTS = {
    "<=": ("pass", "inconclusive", "fail"),
    "<": ("pass", "inconclusive", "fail"),
    ">=": ("fail", "inconclusive", "pass"),
    ">": ("fail", "inconclusive", "pass"),
    "==": ("fail", "inconclusive", "fail"),
    "!=": ("pass", "inconclusive", "pass"),
}


@pytest.mark.parametrize("text", OPERATORS)
def test_each_operator_is_judged_below_around_and_above_its_bound(text: str) -> None:
    gate = parse_gate(f"retry_amplification {text} 3")
    found = [judging._verdict(gate, sum(interval) / 2, interval) for interval in (BELOW, ON_BOTH_SIDES, ABOVE)]
    assert tuple(found) == VERDICTS[text]


def test_the_verdicts_of_a_gate_are_those_that_judging_gives() -> None:
    given = {verdict for verdicts in VERDICTS.values() for verdict in verdicts}
    assert given == set(get_args(GateVerdict))


def test_on_inconclusive_may_be_each_verdict_but_inconclusive() -> None:
    assert set(get_args(OnInconclusive)) == set(get_args(GateVerdict)) - {"inconclusive"}
