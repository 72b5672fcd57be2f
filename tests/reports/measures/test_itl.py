"""itl: gaps between chunks with tokens."""

from __future__ import annotations

import pytest

from loadprofiles.client.chunklog import encode
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_itl_has_each_gap_of_the_chunk_log(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=11, ttft=0.5, token_s=0.02, gaps={4: 0.3})
    assert value(record, "itl.p50") == pytest.approx(0.02)
    assert value(record, "itl.max") == pytest.approx(0.3)
    assert measured(record, "itl.p50").samples == 10


def test_itl_divides_a_gap_by_the_tokens_of_the_chunk_that_ends_it(record: RecordBuilder) -> None:
    log = encode(6.0, [6.5, 6.9], [1, 4])
    record.call("s0", 0, 6.0, log=False, last={names.CHUNKS: log})
    assert value(record, "itl.max") == pytest.approx(0.4 / 4)


def test_itl_without_chunk_logs_is_not_measured(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, log=False)
    assert measured(record, "itl.p50").why_not == "the client wrote no chunk log"
