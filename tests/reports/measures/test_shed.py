"""shed, retry_after_honoured: rejected calls, and retries after the requested pause."""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Try
from tests.support.record_results import measured, value


def test_shed_counts_429_and_503_with_retry_after(record: RecordBuilder) -> None:
    def rejected(session: str, outcome: str, last: dict[str, Any] | None = None, tier: str = "") -> None:
        record.call(session, 0, 6.0, outcome=outcome, ttft=None, ups=[], last=last, tier=tier)

    rejected("a", "rate_limited", tier="batch")
    rejected("b", "http_5xx", {names.HTTP_STATUS: 503, names.RETRY_AFTER: 1.0})
    rejected("c", "http_5xx", {names.HTTP_STATUS: 503})
    rejected("d", "http_5xx", {names.HTTP_STATUS: 500, names.RETRY_AFTER: 1.0})
    record.call("e", 0, 6.0, tries=[Try(6.0, 6.1)], last={"start": 6.2})  # accepted in the end
    assert value(record, "shed") == 2
    assert value(record, "shed", where=("tier", "batch")) == 1


def test_retry_after_is_honoured_where_a_retry_after_the_pause_is_accepted(record: RecordBuilder) -> None:
    rejected = [Try(6.0, 6.1, retry_after=1.0)]
    record.call("a", 0, 6.0, ttft=2.0, tries=rejected, last={"start": 7.08})
    again = {"start": 7.1, names.HTTP_STATUS: 429}
    record.call("b", 0, 6.0, outcome="rate_limited", ttft=1.2, tries=rejected, last=again)
    record.call("c", 0, 6.0, ttft=2.0, tries=rejected, last={"start": 6.5})  # did not wait
    record.call("d", 0, 6.0, outcome="truncated", ttft=2.0, tries=rejected, last={"start": 7.2, names.HTTP_STATUS: 200})
    found = measured(record, "retry_after_honoured")
    assert found.value == pytest.approx(2 / 3)
    assert found.samples == 3


def test_without_a_requested_pause_retry_after_is_not_measured(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0)
    assert "no client retried after a requested pause" in measured(record, "retry_after_honoured").why_not
