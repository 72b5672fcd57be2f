"""gateway_wait: request received to first attempt upstream."""

from __future__ import annotations

import math

import pytest

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import measured, value


def test_gateway_wait_is_from_the_request_to_its_first_attempt(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, ttft=1.0, ups=[Up("gpu-0", 6.4005, 7.2, passed_on=11)])
    record.call("b", 0, 6.0, ttft=2.0, ups=[Up("gpu-0", 6.0505, 6.1, "reset"), Up("gpu-1", 7.0, 8.2, passed_on=11)])
    assert value(record, "gateway_wait.max") == pytest.approx(0.4)
    assert value(record, "gateway_wait.p50") == pytest.approx(0.05)


def test_an_abandoned_request_waited_infinitely_and_a_rejected_one_not_at_all(record: RecordBuilder) -> None:
    gateway = ("brownout-gateway", "gateway#1")
    for session, outcome in (("a", "abandoned"), ("b", "rate_limited")):
        record.has_gateway = False
        record.call(session, 0, 6.0, outcome=outcome, ttft=None, ups=[])
        who = {names.CONVERSATION_ID: session, names.OUTCOME: outcome}
        record.span(gateway, names.SPAN_GATEWAY_REQUEST, 6.01, 6.05, who)
    found = measured(record, "gateway_wait.max")
    assert (found.value, found.samples) == (math.inf, 1)
