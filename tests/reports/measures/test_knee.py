"""knee: the highest rate served well, and its price."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged, value

RAMP_S = (5.0, 51.0)
FLEET_USD = 108.0


def ramp(record: RecordBuilder, late_from_s: float) -> RecordBuilder:
    """Sessions of one call, 1 per second at 5 s, 5.6 per second at 51 s; late from `late_from_s` on."""
    at, index = RAMP_S[0] + 0.05, 0
    while at < RAMP_S[1]:
        record.call(f"s{index}", 0, at, ttft=3.0 if at >= late_from_s else 0.5)
        record.session(f"s{index}", at, at + 0.7)
        at += 1 / (1 + (at - RAMP_S[0]) * 0.1)
        index += 1
    return record


def test_the_knee_is_the_highest_rate_with_90_percent_of_good_calls(record: RecordBuilder) -> None:
    ramp(record, 35.0)
    # in the last window with 90 % good, 19 sessions start, one of them late
    assert value(record, "knee") == 3.8
    assert value(record, "knee.cost_per_1k_sessions") == pytest.approx(1000 * FLEET_USD / (3.8 * 3600))
    enough, more = judged(record, "knee >= 3.5", "knee >= 4.5 sessions/s")
    assert (enough.verdict, more.verdict) == ("pass", "fail")


def test_a_knee_that_was_not_reached_is_a_lower_bound(record: RecordBuilder) -> None:
    ramp(record, 60.0)
    reached, beyond, dear, cheap = judged(
        record,
        "knee >= 5",
        "knee >= 50",
        "knee.cost_per_1k_sessions <= $8",
        "knee.cost_per_1k_sessions <= $1",
    )
    assert (reached.verdict, beyond.verdict) == ("pass", "inconclusive")
    assert (dear.verdict, cheap.verdict) == ("pass", "inconclusive")
    assert "the knee was not reached" in beyond.why


def test_a_stack_without_a_good_window_has_a_knee_of_0(record: RecordBuilder) -> None:
    ramp(record, 0.0)
    assert value(record, "knee") == 0.0
    assert value(record, "knee.cost_per_1k_sessions") == math.inf


def test_a_load_that_falls_again_does_not_hide_the_knee(record: RecordBuilder) -> None:
    ramp(record, 35.0)
    for index in range(8):
        record.call(f"late{index}", 0, 52.0 + index, ttft=0.5)
    for event in record.events:
        if event.get("phase") in ("drain", "end") or event.get("event") == "finished":
            event["at"] += 10 * 10**9
    assert value(record, "knee") == 3.8
