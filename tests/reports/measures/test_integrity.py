"""Integrity of streams: the six counts."""

from __future__ import annotations

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_integrity_counts_are_those_of_the_client(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, its={names.TOKENS_LOST: 3, names.TOKENS_DUPLICATED: 2, names.TOKENS_SPLICED: 4})
    record.call("s1", 0, 6.0, outcome="truncated", its={names.SILENTLY_TRUNCATED: True, names.TOKENS_LOST: 5})
    record.call("s2", 0, 6.0, outcome="truncated")  # a visible failure: no terminal event, and none missing
    record.call("s3", 0, 6.0, its={names.TERMINALS: 2})
    assert value(record, "lost_tokens") == 8
    assert value(record, "duplicated_tokens") == 2
    assert value(record, "spliced_streams") == 1
    assert value(record, "silent_truncations") == 1
    assert value(record, "missing_terminal") == 1
    assert value(record, "double_terminal") == 1


def test_integrity_counts_of_a_good_run_are_0(good: RecordBuilder) -> None:
    for name in (
        "lost_tokens",
        "duplicated_tokens",
        "spliced_streams",
        "silent_truncations",
        "missing_terminal",
        "double_terminal",
    ):
        assert value(good, name) == 0


def test_counts_of_tokens_that_cannot_be_verified_are_not_measured(record: RecordBuilder) -> None:
    unverifiable = {names.CALL_PROVABLE: False, names.TOKENS_LOST: None, names.SILENTLY_TRUNCATED: None}
    record.call("s0", 0, 6.0, its=unverifiable)
    assert "cannot be verified" in measured(record, "silent_truncations").why_not
    assert value(record, "double_terminal") == 0


def test_a_missing_finish_reason_counts_without_verified_tokens(record: RecordBuilder) -> None:
    unverifiable = {names.CALL_PROVABLE: False, names.TOKENS_LOST: None}
    record.call("s0", 0, 6.0, its={**unverifiable, names.SILENTLY_TRUNCATED: None})
    record.call("s1", 0, 6.0, outcome="truncated", its={**unverifiable, names.SILENTLY_TRUNCATED: True})
    assert value(record, "silent_truncations") == 1
    assert "cannot be verified" in measured(record, "lost_tokens").why_not
