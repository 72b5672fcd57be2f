"""Phases of calls, and good calls."""

from __future__ import annotations

import pytest

from reports.history.calls import is_good, phase_at
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import evidence_of


@pytest.mark.parametrize(
    ("sent", "phase", "objectives"),
    [
        (1.0, "warmup", "warmup"),
        (6.0, "baseline", "baseline"),
        (19.5, "baseline", "fault"),
        (21.0, "fault", "fault"),
        (32.0, "recovery", "recovery"),
        (52.0, "drain", "drain"),
    ],
)
def test_for_the_objectives_a_call_open_at_the_injection_counts_in_the_fault(
    record: RecordBuilder, sent: float, phase: str, objectives: str
) -> None:
    record.call("s0", 0, sent)  # 0.7 s long
    call = evidence_of(record).calls.calls[0]
    assert (call.phase, call.slo_phase) == (phase, objectives)


@pytest.mark.parametrize(
    ("at_s", "phase"), [(-4.0, ""), (-3.0, "setup"), (5.0, "baseline"), (54.9, "drain"), (55.0, "end")]
)
def test_phase_at_a_time_is_the_phase_that_began_last(good: RecordBuilder, at_s: float, phase: str) -> None:
    assert phase_at(read_record(good.write()).phases, at_s) == phase


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        ({}, True),
        ({"ttft": 0.5, "tpot": 0.021, "e2e": 0.71, "max_gap": 0.021}, True),
        ({"ttft": 0.49}, False),
        ({"tpot": 0.019}, False),
        ({"e2e": 0.69}, False),
        ({"max_gap": 0.019}, False),
    ],
)
def test_a_call_is_good_when_it_meets_each_objective(
    record: RecordBuilder, objectives: dict[str, float], expected: bool
) -> None:
    record.call("s0", 0, 6.0)  # TTFT 0.5 s, 11 tokens each 20 ms
    (call,) = evidence_of(record).calls.calls
    assert is_good(call, objectives) is expected


def test_an_undefined_value_meets_its_objective_and_a_failed_call_is_never_good(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=1)
    record.call("s1", 0, 7.0, outcome="truncated")
    one_token, failed = evidence_of(record).calls.calls
    assert is_good(one_token, {"tpot": 0.001})
    assert not is_good(failed, {})


def test_without_a_replicas_span_the_prompt_is_the_clients_usage_or_unknown(record: RecordBuilder) -> None:
    lost = Up("gpu-0", 6.0, 6.7, passed_on=11, replica_span=False)
    record.call("s0", 0, 6.0, ups=[lost], its={"gen_ai.usage.input_tokens": 321})
    record.call("s1", 0, 7.0, ups=[lost])
    assert [call.prompt_tokens() for call in evidence_of(record).calls.calls] == [321, None]
