"""wasted_tokens: decoded tokens that reached no client."""

from __future__ import annotations

import pytest

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import value


def test_tokens_of_abandoned_attempts_and_duplicates_are_wasted(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.7, passed_on=11, decoded=11)])
    record.call(
        "s1",
        0,
        6.0,
        ups=[Up("gpu-0", 6.0, 6.7, "abandoned", passed_on=0, decoded=20), Up("gpu-1", 6.1, 6.7, passed_on=11)],
    )
    record.call("s2", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.7, passed_on=11)], its={names.TOKENS_DUPLICATED: 2})
    assert value(record, "wasted_tokens") == pytest.approx(22 / 53)
