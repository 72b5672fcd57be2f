"""Work per call: attempts, prefill, decoded and wasted tokens."""

from __future__ import annotations

import pytest

from reports.history.work import attempts_by_call, wasted_by_call, work_of
from reports.shared import attributes as names
from tests.support.foreign_records import ForeignRecord
from tests.support.measure_records import add_session_of_three
from tests.support.record_builder import RecordBuilder, Up, migrated
from tests.support.record_results import evidence_of, value


def test_needed_once_is_the_prompt_beyond_the_longest_earlier_prompt_and_answer(record: RecordBuilder) -> None:
    add_session_of_three(record, "a", 6.0, (200, 49, 59))  # 200, then 260 - 211, then 330 - 271
    add_session_of_three(record, "b", 7.5, (100, 49, 59))  # its first call shares 100 tokens with every session
    assert value(record, "prefill_amplification") == 1.0
    assert work_of(evidence_of(record)).needed.tolist() == [200, 49, 100, 59, 49, 59]


def test_each_agent_of_a_session_has_its_own_prefix(record: RecordBuilder) -> None:
    for agent, at in (("main", 6.0), ("sub-1", 8.0)):
        record.call("a", 0, at, agent=agent, ups=[Up("gpu-0", at, at + 0.7, passed_on=11, prompt=200, computed=200)])
    assert work_of(evidence_of(record)).needed.tolist() == [200, 100]


def test_the_shared_prefix_of_a_replayed_trace_is_what_first_calls_found_cached(record: RecordBuilder) -> None:
    record.experiment["load"]["trace"] = {"dir": "traces"}
    for index, cached in enumerate((0, 64, 64)):
        up = Up("gpu-0", 6.0 + index, 6.7 + index, passed_on=11, prompt=200, computed=200 - cached, cached=cached)
        record.call(f"s{index}", 0, 6.0 + index, ups=[up])
    assert work_of(evidence_of(record)).needed.tolist() == [200, 136, 136]


def test_the_prompt_of_a_continuation_excludes_the_tokens_it_continues(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    call = evidence_of(record).calls.calls[0]
    assert call.replica_requests[0].prompt_tokens == 203
    assert call.prompt_tokens() == 200


def test_the_work_of_a_killed_replica_is_estimated_from_its_last_counters(record: RecordBuilder) -> None:
    record.fault()
    reported = Up("tpu-0", 18.0, 18.7, passed_on=11, computed=200)
    record.call("s0", 0, 18.0, ups=[reported])
    for name in ("s1", "s2"):
        record.call(name, 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    counters = {"prefill_tokens": 600, "decoded_tokens": 11 + 6 + 4}
    record.gauge("tpu-0", 19.99, kind="replica", data=counters)
    record.event(
        "process", 20.02, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True
    )
    work = work_of(evidence_of(record))
    assert work.estimated == 2
    assert work.computed.tolist() == [200, 250, 250]  # 50 at gpu-1, and half of the 400 that no span reports
    assert work.decoded.tolist() == [11, 13, 13]  # 8 at gpu-1, 3 passed on, half of the 4 that no client got
    assert value(record, "wasted_tokens") == pytest.approx(4 / 37)


def test_attempts_are_the_gateways_else_requests_at_replicas_else_the_clients(record: RecordBuilder) -> None:
    record.call("s0", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert attempts_by_call(evidence_of(record)).tolist() == [2]  # the first one has no span of a replica
    del record.by_instance["brownout-gateway", "gateway#1"]
    assert attempts_by_call(evidence_of(record)).tolist() == [1]
    del record.by_instance["brownout-replica", "gpu-1#1"]
    assert attempts_by_call(evidence_of(record)).tolist() == [1]


def test_wasted_tokens_of_a_call_are_those_decoded_and_not_delivered(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.7, passed_on=11, decoded=15)])
    record.call("s1", 0, 7.0, ups=[Up("gpu-0", 7.0, 7.7, passed_on=11, replica_span=False)])
    wasted, decoded = wasted_by_call(evidence_of(record))
    assert (wasted.tolist(), decoded.tolist()) == ([4, 0], [15, 11])


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


def test_a_late_request_is_wasted_work_of_its_call(foreign: ForeignRecord) -> None:
    foreign.propagates = False
    foreign.good_call("s0", 20.0)
    foreign.call("s1", 0, 21.0, outcome="timeout", ttft=None, ups=[Up("gpu-0", 30.0, 31.0, decoded=11)])
    wasted, decoded = wasted_by_call(evidence_of(foreign))
    assert (wasted.tolist(), decoded.tolist()) == ([0, 11], [11, 11])
    assert attempts_by_call(evidence_of(foreign)).tolist() == [1, 1]


def test_a_lost_request_gets_what_the_last_counters_have_beyond_the_spans(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.good_call("s0", 18.0, "tpu-0")
    for name in ("s1", "s2"):
        ups = [
            Up("tpu-0", 19.401, 20.01, "reset", passed_on=3, replica_span=False),
            Up("gpu-1", 20.05, 21.0, "ok", passed_on=11),
        ]
        foreign.call(name, 0, 19.4, tokens=14, gaps={3: 0.9}, its={names.TOKENS_DUPLICATED: 3}, ups=ups)
    foreign.died("tpu-0", decoded=11 + 6 + 4)
    evidence = evidence_of(foreign)
    wasted, decoded = wasted_by_call(evidence)
    assert work_of(evidence).estimated == 2
    assert decoded.tolist() == [11, 3 + 2 + 11, 3 + 2 + 11]
    assert wasted.tolist() == [0, 5, 5]


def test_a_request_of_one_death_is_no_work_of_the_next_one(foreign: ForeignRecord) -> None:
    foreign.fault(kind="flap", targets=["tpu-0"])
    up = Up("tpu-0", 19.401, 20.01, "reset", passed_on=3, replica_span=False)
    foreign.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=[up])
    foreign.died("tpu-0", decoded=5)
    foreign.died("tpu-0", at=20.8, incarnation=2, decoded=7)
    evidence = evidence_of(foreign)
    assert work_of(evidence).estimated == 1
    assert work_of(evidence).decoded.tolist() == [5]


def test_a_lost_request_says_nothing_about_the_cache(foreign: ForeignRecord) -> None:
    foreign.experiment["load"]["trace"] = {"dir": "traces"}
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=[Up("tpu-0", 19.41, 20.01, replica_span=False)])
    foreign.call("s1", 0, 21.0, ups=[Up("gpu-0", 21.001, 21.7, passed_on=11, cached=64)])
    assert work_of(evidence_of(foreign)).shared_prefix == 64
