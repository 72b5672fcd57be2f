"""retry_amplification: upstream attempts per call."""

from __future__ import annotations

import pytest

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, migrated
from tests.support.record_results import value


def test_retry_amplification_is_attempts_per_call(record: RecordBuilder) -> None:
    for index in range(8):
        record.call(f"s{index}", 0, 6.0)
    record.call("s8", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "retry_amplification") == pytest.approx(10 / 9)
    assert value(record, "retry_amplification", "baseline") == 1.0


def test_an_attempt_without_a_call_counts_in_the_phase_in_which_it_started(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.span(("brownout-gateway", "gateway#1"), names.SPAN_ATTEMPT, 7.0, 8.0, {names.REPLICA: "gpu-0"})
    assert value(record, "retry_amplification", "baseline") == 2.0
