"""The grace period: client timeout, backlog and spare capacity."""

from __future__ import annotations

from reports.metastability.grace import grace_period, longest_client_timeout_s, trigger_gone_s
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder


def test_the_grace_period_is_the_timeout_plus_the_backlog_at_spare_capacity() -> None:
    assert grace_period(5.0, 30, 6, 14.0, 8.0).total_s == 9.0
    assert grace_period(5.0, 6, 6, 8.0, 8.0).total_s == 5.0


def test_the_backlog_counts_for_at_most_a_client_timeout() -> None:
    assert grace_period(5.0, 36, 6, 9.0, 8.0).total_s == 10.0
    assert grace_period(5.0, 7, 6, 8.0, 8.0).total_s == 10.0


def test_the_longest_client_timeout_is_that_of_the_profile_or_of_a_load_fault(record: RecordBuilder) -> None:
    record.experiment["profile"]["client"] = {"timeout_s": 5.0}
    assert longest_client_timeout_s(read_record(record.write())) == 5.0
    record.fault("f1", "retry_storm", ("load",))
    for event in record.events:
        if event["type"] == "fault":
            event["params"] = {"timeout": 8.0}
    assert longest_client_timeout_s(read_record(record.write())) == 8.0


def test_the_trigger_is_gone_when_the_last_revert_is_verified(record: RecordBuilder) -> None:
    record.fault("f1", stages={"injected": 20.0, "reverted": 24.0})
    assert trigger_gone_s(read_record(record.write())) == 24.0
    record.fault("f2", stages={"injected": 21.0, "reverted": 30.0, "verified": 31.0})
    assert trigger_gone_s(read_record(record.write())) == 31.0


def test_the_trigger_is_not_gone_while_a_fault_is_active(record: RecordBuilder) -> None:
    assert trigger_gone_s(read_record(record.write())) is None
    record.fault("f1")
    record.fault("f2", stages={"injected": 21.0})
    assert trigger_gone_s(read_record(record.write())) is None
