"""retry_amplification: upstream attempts per call."""

from __future__ import annotations

import pytest

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up, migrated
from tests.support.record_results import judged, value


def test_retry_amplification_is_attempts_per_call(record: RecordBuilder) -> None:
    for index in range(8):
        record.call(f"s{index}", 0, 6.0)
    record.call("s8", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "retry_amplification") == pytest.approx(10 / 9)
    assert value(record, "retry_amplification", "baseline") == pytest.approx(10 / 9)  # all were sent there


def test_an_attempt_without_a_call_counts_in_the_phase_in_which_it_started(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.span(("brownout-gateway", "gateway#1"), names.SPAN_ATTEMPT, 7.0, 8.0, {names.REPLICA: "gpu-0"})
    assert value(record, "retry_amplification", "baseline") == 2.0


def test_where_no_call_was_repeated_the_interval_has_the_width_of_the_rule_of_three(good: RecordBuilder) -> None:
    possible, certain = judged(good, "retry_amplification <= 1.02", "retry_amplification <= 1.1")
    assert (possible.verdict, certain.verdict, certain.value) == ("inconclusive", "pass", 1.0)
    assert certain.interval is not None
    assert certain.interval[1] == pytest.approx(1 + 3.689 * 3 / certain.samples, rel=2e-3)  # sessions of three calls


def test_one_repeated_call_makes_the_interval_that_of_one_rare_event(good: RecordBuilder) -> None:
    good.call("s999", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.1, "reset"), Up("gpu-1", 6.2, 6.9, passed_on=11)])
    (gate,) = judged(good, "retry_amplification <= 1.1")
    assert gate.interval is not None
    assert gate.value is not None
    assert gate.interval[0] < gate.value < gate.interval[1]
    assert gate.interval[1] == pytest.approx(1 + 5.572 / gate.samples)
