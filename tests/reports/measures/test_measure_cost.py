"""What a failure cost: attempts, prefill, waste, dollars. Exact values."""

from __future__ import annotations

import math

import pytest

from reports.gates.grammar import GateError, parse_gate
from reports.history.work import work_of
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up, evidence_of, judged, measured, migrated, value


def test_retry_amplification_is_attempts_a_call(record: RecordBuilder) -> None:
    for index in range(8):
        record.call(f"s{index}", 0, 6.0)
    record.call("s8", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "retry_amplification") == pytest.approx(10 / 9)
    assert value(record, "retry_amplification", "baseline") == 1.0


def test_an_attempt_whose_call_is_missing_counts_where_its_time_falls(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.span(("brownout-gateway", "gateway#1"), names.SPAN_ATTEMPT, 7.0, 8.0, {names.REPLICA: "gpu-0"})
    assert value(record, "retry_amplification", "baseline") == 2.0


def session_of_three(record: RecordBuilder, name: str, start: float, computed: tuple[int, int, int]) -> None:
    for turn, (prompt, work) in enumerate(zip((200, 260, 330), computed, strict=True)):
        up = Up("gpu-0", start + turn, start + turn + 0.7, passed_on=11, prompt=prompt, computed=work)
        record.call(name, turn, start + turn, ups=[up])


def test_needed_once_is_what_is_new_beyond_the_longest_prompt_and_answer_before(record: RecordBuilder) -> None:
    session_of_three(record, "a", 6.0, (200, 49, 59))  # 200, then 260 - 211, then 330 - 271
    session_of_three(record, "b", 7.5, (100, 49, 59))  # its first call shares 100 tokens with every session
    assert value(record, "prefill_amplification") == 1.0
    assert work_of(evidence_of(record)).needed.tolist() == [200, 49, 100, 59, 49, 59]


def test_a_cold_cache_shows_as_amplification(record: RecordBuilder) -> None:
    session_of_three(record, "a", 6.0, (200, 260, 330))
    assert value(record, "prefill_amplification") == pytest.approx(790 / 308)


def test_agents_of_a_session_have_prefixes_of_their_own(record: RecordBuilder) -> None:
    for agent, at in (("main", 6.0), ("sub-1", 8.0)):
        record.call("a", 0, at, agent=agent, ups=[Up("gpu-0", at, at + 0.7, passed_on=11, prompt=200, computed=200)])
    assert work_of(evidence_of(record)).needed.tolist() == [200, 100]


def test_where_a_trace_was_replayed_the_shared_prefix_is_what_first_calls_found_cached(record: RecordBuilder) -> None:
    record.experiment["load"]["trace"] = {"dir": "traces"}
    for index, cached in enumerate((0, 64, 64)):
        up = Up("gpu-0", 6.0 + index, 6.7 + index, passed_on=11, prompt=200, computed=200 - cached, cached=cached)
        record.call(f"s{index}", 0, 6.0 + index, ups=[up])
    assert work_of(evidence_of(record)).needed.tolist() == [200, 136, 136]


def test_the_prompt_of_a_continuation_is_counted_without_what_it_continues(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    call = evidence_of(record).calls.calls[0]
    assert call.replica_requests[0].prompt_tokens == 203
    assert call.prompt_tokens() == 200


def test_the_work_of_a_killed_replica_is_known_from_its_last_counters(record: RecordBuilder) -> None:
    record.fault()
    told = Up("tpu-0", 18.0, 18.7, passed_on=11, computed=200)
    record.call("s0", 0, 18.0, ups=[told])
    for name in ("s1", "s2"):
        record.call(name, 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    counters = {"prefill_tokens": 600, "decoded_tokens": 11 + 6 + 4}
    record.gauge("tpu-0", 19.99, kind="replica", data=counters)
    record.event(
        "process", 20.02, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True
    )
    work = work_of(evidence_of(record))
    assert work.estimated == 2
    assert work.computed.tolist() == [200, 250, 250]  # 50 at gpu-1, and half of the 400 that no span tells
    assert work.decoded.tolist() == [11, 13, 13]  # 8 at gpu-1, 3 passed on, half of the 4 that nobody got
    assert value(record, "wasted_tokens") == pytest.approx(4 / 37)


def test_waste_is_what_was_decoded_and_reached_nobody(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.7, passed_on=11, decoded=11)])
    record.call(
        "s1",
        0,
        6.0,
        ups=[Up("gpu-0", 6.0, 6.7, "abandoned", passed_on=0, decoded=20), Up("gpu-1", 6.1, 6.7, passed_on=11)],
    )
    record.call("s2", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.7, passed_on=11)], its={names.TOKENS_DUPLICATED: 2})
    assert value(record, "wasted_tokens") == pytest.approx(22 / 53)


def test_cost_is_price_times_time_held(good: RecordBuilder) -> None:
    hours = (51.0 - 5.0) / 3600
    assert value(good, "cost") == pytest.approx(108 * hours)
    assert value(good, "cost", "baseline") == pytest.approx(108 * 15 / 3600)
    assert value(good, "cost", where=("pool", "tpu")) == pytest.approx(36 * hours)
    sessions, calls = value(good, "sessions"), value(good, "calls_ok")
    assert value(good, "cost.per_1k_sessions") == pytest.approx(1000 * 108 * hours / sessions)
    assert value(good, "cost.per_million_tokens") == pytest.approx(1e6 * 108 * hours / (11 * calls))


def test_cost_of_nothing_served_is_not_measured(record: RecordBuilder) -> None:
    assert "no session succeeded" in measured(record, "cost.per_1k_sessions").why_not
    assert "no useful token" in measured(record, "cost.per_million_tokens").why_not


def test_hardware_that_was_taken_back_is_not_paid_until_its_replacement_starts(good: RecordBuilder) -> None:
    stages = {"planned": 0.0, "injected": 22.0, "confirmed": 27.0, "reverted": 30.0, "verified": 31.0}
    good.fault("f1", "terminate", ("tpu-0",), stages=stages)
    good.event("process", 26.0, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True)
    assert value(good, "cost", "fault", ("pool", "tpu")) == pytest.approx((36 * 11 - 18 * 4) / 3600)
    assert value(good, "cost", "baseline", ("pool", "tpu")) == pytest.approx(36 * 15 / 3600)


def test_hardware_whose_process_was_killed_is_paid_all_the_same(good: RecordBuilder) -> None:
    good.fault("f1", "kill", ("tpu-0",))
    good.event("process", 20.1, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True)
    assert value(good, "cost", "fault", ("pool", "tpu")) == pytest.approx(36 * 11 / 3600)


def test_a_price_per_token_is_held_against_the_baselines_by_its_interval(good: RecordBuilder) -> None:
    good.fault(hits=1)
    same, dearer = judged(
        good,
        "cost.per_million_tokens during fault <= 2 x baseline",
        "cost.per_million_tokens during fault <= 0.5 x baseline",
    )
    assert (same.verdict, dearer.verdict) == ("pass", "fail")
    assert same.factor == pytest.approx((11 / 69) / (15 / 87))  # seconds a good call, of both
    assert same.interval is not None
    assert same.interval[0] < 1 < same.interval[1]


def test_dollars_of_phases_of_different_lengths_are_not_compared() -> None:
    with pytest.raises(GateError, match="cost grows with the length of a phase"):
        parse_gate("cost during fault <= 1.3 x baseline")


RAMP_S = (5.0, 51.0)
FLEET_USD = 108.0


def ramp(record: RecordBuilder, gives_way_s: float) -> RecordBuilder:
    """One session of one call after another, 1 a second at 5 s, 5.6 a second at 51 s; late from a time on."""
    at, index = RAMP_S[0] + 0.05, 0
    while at < RAMP_S[1]:
        record.call(f"s{index}", 0, at, ttft=3.0 if at >= gives_way_s else 0.5)
        record.session(f"s{index}", at, at + 0.7)
        at += 1 / (1 + (at - RAMP_S[0]) * 0.1)
        index += 1
    return record


def test_the_knee_is_the_rate_up_to_which_nine_calls_in_ten_are_good(record: RecordBuilder) -> None:
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


def test_a_stack_that_is_never_well_has_no_rate_at_all(record: RecordBuilder) -> None:
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
