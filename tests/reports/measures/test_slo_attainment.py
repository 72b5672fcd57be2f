"""slo_attainment: the share of good calls, and its interval."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured


def test_slo_attainment_without_objectives_is_not_measured(record: RecordBuilder) -> None:
    record.experiment["slo"] = {}
    record.call("s0", 0, 6.0)
    assert "no objectives" in measured(record, "slo_attainment").why_not


def test_the_interval_of_a_share_is_wilsons_interval(record: RecordBuilder) -> None:
    for index in range(100):
        record.call(f"s{index}", 0, 6.0 + index / 100, outcome="truncated" if index < 4 else "ok")
    found = measured(record, "slo_attainment")
    assert found.value == 0.96
    assert found.interval is not None
    theirs = binomtest(96, 100).proportion_ci(method="wilson")
    assert found.interval() == pytest.approx((theirs.low, theirs.high))
    assert (found.samples, found.sessions) == (100, 100)
