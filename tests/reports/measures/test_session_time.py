"""session_time: first call sent to last byte."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_a_lost_session_has_infinite_time_and_an_unfinished_one_has_none(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, outcome="reset")
    record.session("a", 6.0, 7.0, "lost")
    record.call("b", 0, 6.0, outcome="abandoned")
    record.session("b", 6.0, 55.0, "unfinished", silent=1.0)
    found = measured(record, "session_time.max")
    assert (found.value, found.samples) == (math.inf, 1)


def test_session_time_is_from_the_first_call_to_the_last_byte(good: RecordBuilder) -> None:
    assert value(good, "session_time.p50") == pytest.approx(2.7)  # calls 1 s apart, the last of 0.7 s
