"""fairness: Jain's index of served / offered."""

from __future__ import annotations

import pytest

from tests.support.measure_records import add_calls_of_tenant
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_fairness_is_jains_index_of_served_over_offered(record: RecordBuilder) -> None:
    add_calls_of_tenant(record, "acme", 21.0, 4)
    add_calls_of_tenant(record, "hooli", 21.5, 2, 2)
    assert value(record, "fairness", "fault") == pytest.approx(1.5**2 / (2 * 1.25))
    assert value(record, "fairness.min", "fault") == 0.5


def test_entitled_fairness_ignores_calls_beyond_the_baselines_rate_of_a_tenant(record: RecordBuilder) -> None:
    add_calls_of_tenant(record, "acme", 6.0, 6)
    add_calls_of_tenant(record, "hooli", 7.0, 6)
    add_calls_of_tenant(record, "acme", 21.0, 4)  # the baseline's 6 in 15 s are 4.4 in 11 s
    add_calls_of_tenant(record, "hooli", 21.5, 4, 36)
    assert value(record, "fairness.min", "fault") == 0.1
    assert value(record, "fairness.entitled_min", "fault") == pytest.approx(4 / 4.4)
    shares = (1.0, 4 / 4.4)
    assert value(record, "fairness.entitled", "fault") == pytest.approx(sum(shares) ** 2 / (2 * (1 + shares[1] ** 2)))


def test_fairness_of_one_tenant_is_not_measured(record: RecordBuilder) -> None:
    add_calls_of_tenant(record, "acme", 6.0, 6)
    assert measured(record, "fairness").why_not == "only one tenant sent calls"


def test_fairness_has_an_interval_by_session(record: RecordBuilder) -> None:
    add_calls_of_tenant(record, "acme", 6.0, 20)
    add_calls_of_tenant(record, "hooli", 7.0, 10, 10)
    interval = measured(record, "fairness").interval
    assert interval is not None
    low, high = interval()
    assert 0.6 < low < 0.9 < high < 1.0
