"""cost: dollars for the hardware held; per session and per token."""

from __future__ import annotations

import pytest

from reports.gates.grammar import GateError, parse_gate
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged, measured, value


def test_cost_is_price_times_time_held(good: RecordBuilder) -> None:
    hours = (51.0 - 5.0) / 3600
    assert value(good, "cost") == pytest.approx(108 * hours)
    assert value(good, "cost", "baseline") == pytest.approx(108 * 15 / 3600)
    assert value(good, "cost", where=("pool", "tpu")) == pytest.approx(36 * hours)
    sessions = sum(value(good, "sessions", phase) for phase in ("baseline", "fault", "recovery"))
    calls = value(good, "calls_ok")
    assert sessions < value(good, "sessions")  # which has those of the warm-up that were still running
    assert value(good, "cost.per_1k_sessions") == pytest.approx(1000 * 108 * hours / sessions)
    assert value(good, "cost.per_million_tokens") == pytest.approx(1e6 * 108 * hours / (11 * calls))


def test_cost_per_session_or_token_is_not_measured_where_none_was_served(record: RecordBuilder) -> None:
    assert "no session succeeded" in measured(record, "cost.per_1k_sessions").why_not
    assert "no call that ended ok has tokens" in measured(record, "cost.per_million_tokens").why_not


def test_reclaimed_hardware_costs_nothing_until_its_replacement_starts(good: RecordBuilder) -> None:
    stages = {"planned": 0.0, "injected": 22.0, "confirmed": 27.0, "reverted": 30.0, "verified": 31.0}
    good.fault("f1", "terminate", ("tpu-0",), stages=stages)
    good.event("process", 26.0, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True)
    assert value(good, "cost", "fault", ("pool", "tpu")) == pytest.approx((36 * 11 - 18 * 4) / 3600)
    assert value(good, "cost", "baseline", ("pool", "tpu")) == pytest.approx(36 * 15 / 3600)


def test_hardware_of_a_killed_process_is_still_paid_for(good: RecordBuilder) -> None:
    good.fault("f1", "kill", ("tpu-0",))
    good.event("process", 20.1, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True)
    assert value(good, "cost", "fault", ("pool", "tpu")) == pytest.approx(36 * 11 / 3600)


def test_a_price_per_token_is_compared_with_the_baseline_by_its_interval(good: RecordBuilder) -> None:
    good.fault(hits=1)
    same, dearer = judged(
        good,
        "cost.per_million_tokens during fault <= 2 x baseline",
        "cost.per_million_tokens during fault <= 0.5 x baseline",
    )
    assert (same.verdict, dearer.verdict) == ("pass", "fail")
    assert same.factor == pytest.approx((11 / 66) / (15 / 90))  # seconds a call that was sent, of both
    assert same.interval is not None
    assert same.interval[0] < 1 < same.interval[1]


def test_total_dollars_cannot_be_compared_with_the_baseline() -> None:
    with pytest.raises(GateError, match="cost grows with the length of a phase"):
        parse_gate("cost during fault <= 1.3 x baseline")


def test_hardware_of_a_reserve_is_paid_for_from_its_start_to_its_end(good: RecordBuilder) -> None:
    spare = {"name": "spare-0", "pool": "spare", "cloud": "azure", "hardware": "h", "chips": 4, "usd_per_hour": 36.0}
    good.experiment["stack"]["reserve"] = [spare]
    total = value(good, "cost")  # not started: not part of the record
    facts = {"name": "spare-0", "incarnation": 1, "kind": "replica", "expected": True}
    good.event("process", 15.0, **facts, event="started", status=None)
    good.event("process", 25.0, **facts, event="exited", status=0)
    assert value(good, "cost", where=("pool", "spare")) == pytest.approx(36 * 10 / 3600)
    assert value(good, "cost") == pytest.approx(total + 36 * 10 / 3600)
