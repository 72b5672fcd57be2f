"""The calls that met a fault, and the exact length of each interruption, from token numbers."""

from __future__ import annotations

import math

import pytest

from reports.gates.validity import fault_doubts
from reports.history.encounters import Encounter
from reports.shared import attributes as names
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import RecordBuilder, Up, migrated
from tests.support.record_results import evidence_of, measured


def encounters(record: RecordBuilder) -> list[Encounter]:
    return list(evidence_of(record).impacts[0].encounters)


def test_a_migrated_call_is_interrupted_between_its_last_and_its_next_token(record: RecordBuilder) -> None:
    record.fault()
    # tokens 0, 1, 2 at 19.9, 19.92, 19.94; the fourth comes 1.25 s later, from another replica
    record.call("s0", 0, 19.4, gaps={3: 1.25}, ups=migrated(20.01, resumed=21.19, sent=19.4, passed_on=3))
    (met,) = encounters(record)
    assert met.failover_s == pytest.approx(1.25)
    assert (met.died_s, met.resumed_s) == pytest.approx((19.94, 21.19))
    assert (met.interrupted, met.saved, met.from_replica, met.to_replica) == (True, True, "tpu-0", "gpu-1")
    assert met.met_s == 20.0


def test_a_call_without_a_token_before_the_fault_is_interrupted_from_its_send(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 20.5, ttft=1.5, ups=migrated(20.6, resumed=22.0, sent=20.5, passed_on=0))
    (met,) = encounters(record)
    assert met.failover_s == pytest.approx(1.5)
    assert met.died_s == pytest.approx(20.5)


def test_several_failed_replicas_in_a_row_are_one_interruption(record: RecordBuilder) -> None:
    record.fault()
    ups = [
        Up("tpu-0", 19.401, 20.01, "reset", passed_on=3, replica_span=False),
        Up("tpu-1", 20.02, 20.025, "refused", "migration", offset=3, replica_span=False),
        Up("gpu-0", 20.03, 22.0, "ok", "migration", offset=3, passed_on=8),
    ]
    record.call("s0", 0, 19.4, gaps={3: 0.7}, ups=ups)
    (met,) = encounters(record)
    assert met.failover_s == pytest.approx(0.7)
    assert met.to_replica == "gpu-0"


def test_a_call_that_never_continued_is_interrupted_infinitely(record: RecordBuilder) -> None:
    record.fault()
    ups = [Up("tpu-0", 19.401, 20.01, "reset", passed_on=3, replica_span=False)]
    record.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=ups)
    (met,) = encounters(record)
    assert (met.failover_s, met.saved, met.interrupted, met.to_replica) == (math.inf, False, True, "")


def test_a_call_complete_for_the_gateway_but_not_for_the_client_never_continued(record: RecordBuilder) -> None:
    record.fault(kind="cut")
    ups = [Up("tpu-0", 21.001, 21.6, "ok", passed_on=3)]
    record.call("s0", 0, 21.0, tokens=3, outcome="truncated", ups=ups)
    (met,) = encounters(record)
    assert (met.failover_s, met.interrupted) == (math.inf, True)


def test_a_call_that_lacked_only_the_end_of_its_stream_is_not_interrupted(record: RecordBuilder) -> None:
    record.fault(kind="no_terminal")
    record.call("s0", 0, 21.0, ups=[Up("tpu-0", 21.001, 21.7, "truncated", passed_on=11)])
    (met,) = encounters(record)
    assert (met.interrupted, met.saved) == (False, True)


def test_a_call_served_by_a_slow_replica_met_the_fault_and_is_not_interrupted(record: RecordBuilder) -> None:
    record.fault(kind="slow_decode")
    record.call("s0", 0, 21.0, token_s=0.08, ups=[Up("tpu-0", 21.001, 22.3, passed_on=11)])
    (met,) = encounters(record)
    assert (met.interrupted, met.saved) == (False, True)
    assert math.isnan(met.failover_s)


def test_a_call_on_a_frozen_replica_is_interrupted_until_it_resumes(record: RecordBuilder) -> None:
    record.fault(kind="freeze")
    record.call("s0", 0, 19.4, gaps={3: 10.2}, ups=[Up("tpu-0", 19.401, 30.3, passed_on=11)])
    (met,) = encounters(record)
    assert met.failover_s == pytest.approx(10.2)
    assert met.to_replica == "tpu-0"


def test_calls_elsewhere_and_calls_after_the_revert_did_not_meet_the_fault(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 21.0, ups=[Up("gpu-0", 21.001, 21.7, passed_on=11)])
    record.call("s1", 0, 30.5, ups=[Up("tpu-0", 30.501, 31.2, passed_on=11)])
    record.call("s2", 0, 18.0, ups=[Up("tpu-0", 18.001, 18.7, passed_on=11)])
    assert encounters(record) == []
    impact = evidence_of(record).impacts[0]
    assert (impact.hits, impact.hit_something) == (0, False)


def test_only_calls_selected_by_a_share_met_the_fault(record: RecordBuilder) -> None:
    record.fault(kind="http_error", share=0.5, hits=1)
    hit = [
        Up("tpu-0", 21.001, 21.01, "http_5xx", hits=("f1",)),
        Up("gpu-0", 21.02, 21.9, "ok", "retry", passed_on=11),
    ]
    record.call("s0", 0, 21.0, ups=hit)
    record.call("s1", 0, 21.0, ups=[Up("tpu-0", 21.001, 21.7, passed_on=11)])
    (met,) = encounters(record)
    assert met.call.session == "s0"
    assert met.failover_s == pytest.approx(0.5)  # its TTFT: it had no token before


def test_only_calls_hit_by_a_fault_of_one_tenant_met_it(record: RecordBuilder) -> None:
    record.fault(kind="latency", only={"tenant": ["acme"]}, hits=1)
    record.call("s0", 0, 21.0, ups=[Up("tpu-0", 21.001, 21.7, passed_on=11, hits=("f1",))])
    record.call("s1", 0, 21.0, ups=[Up("tpu-0", 21.001, 21.7, passed_on=11)])
    assert [met.call.session for met in encounters(record)] == ["s0"]


@pytest.mark.parametrize("kind", ["stall", "slow_headers", "never_answer", "slow_tokens", "trickle", "lying_health"])
def test_a_call_that_receives_nothing_under_a_silencing_fault_is_interrupted(record: RecordBuilder, kind: str) -> None:
    record.fault(kind=kind)
    record.call("s0", 0, 20.5, ttft=4.5, ups=[Up("tpu-0", 20.501, 26.0, passed_on=11)])
    (met,) = encounters(record)
    assert (met.interrupted, met.saved, met.to_replica) == (True, True, "tpu-0")
    assert met.failover_s == pytest.approx(4.499)


def test_without_a_chunk_log_the_interruption_is_the_longest_gap_or_the_ttft(record: RecordBuilder) -> None:
    record.fault()
    ups = migrated(20.01, resumed=21.19, sent=19.4, passed_on=3)
    record.call("s0", 0, 19.4, gaps={3: 1.25}, ups=ups, log=False)
    record.call("s1", 0, 20.5, ttft=1.5, ups=migrated(20.6, resumed=22.0, sent=20.5, passed_on=0), log=False)
    assert [met.failover_s for met in encounters(record)] == pytest.approx([1.25, 1.5])


def test_a_fault_that_was_never_injected_met_no_call(record: RecordBuilder) -> None:
    record.fault(stages={"planned": 0.0, "failed": 20.0}, why="no such process")
    record.call("s0", 0, 21.0, ups=[Up("tpu-0", 21.001, 21.7, passed_on=11)])
    impact = evidence_of(record).impacts[0]
    assert (impact.injected, impact.encounters) == (False, ())


def test_a_fault_that_was_never_reverted_lasts_until_the_end_of_the_record(record: RecordBuilder) -> None:
    record.fault(stages={"planned": 0.0, "injected": 20.0, "confirmed": 20.1})
    ups = [Up("tpu-0", 40.001, 40.01, "refused", replica_span=False), Up("gpu-0", 40.02, 40.7, passed_on=11)]
    record.call("s0", 0, 40.0, ups=ups)
    assert len(encounters(record)) == 1


def test_calls_of_sessions_added_by_a_surge_met_it_and_are_not_interrupted(record: RecordBuilder) -> None:
    record.fault(kind="surge", targets=["load"], hits=1)
    record.call("s0", 0, 21.0)
    record.call("s0-f1-0", 0, 21.0)
    record.call("s0-f1-0", 1, 32.0, tokens=3, outcome="truncated")  # also after the revert
    record.session("s0-f1-0", 21.0, 33.0, its={names.FAULT_ID: "f1"})
    first, second = encounters(record)
    assert (first.call.session, first.met_s, first.interrupted, first.saved) == ("s0-f1-0", 21.0, False, True)
    assert (second.met_s, second.interrupted, second.saved) == (32.0, False, False)
    impact = evidence_of(record).impacts[0]
    assert (impact.hits, impact.hit_something) == (1, True)


def test_a_call_that_a_load_fault_changed_met_it(record: RecordBuilder) -> None:
    record.fault(kind="long_reasoning", targets=["load"], hits=1)
    record.call("s0", 0, 21.0, chat_hits=("f1",))
    record.call("s1", 0, 21.0)
    (met,) = encounters(record)
    assert met.call.session == "s0"


def test_what_a_command_met_is_not_known_and_it_did_not_hit_nothing(record: RecordBuilder) -> None:
    record.command()
    record.call("s0", 0, 19.4, ups=[Up("gpu-0", 19.401, 20.6)])
    evidence = evidence_of(record)
    (impact,) = evidence.impacts
    assert (impact.encounters, impact.hits, impact.hits_are_known, impact.on_replicas) == ((), None, False, False)
    assert fault_doubts(impact) == []
    why = "which calls met the fault exec is not known: it acts outside brownout"
    for name in ("failover.max", "failover_rate", "blast_radius.sessions", "blast_radius.failed_tenants"):
        assert measured(record, name).why_not == why
    for name in ("time_to_detect", "time_to_readmit"):
        assert measured(record, name).why_not == "no fault was injected on a replica"


def test_a_command_that_was_not_confirmed_is_a_doubt(record: RecordBuilder) -> None:
    record.command(stages={"planned": 0.0, "injected": 20.0, "failed": 20.1, "reverted": 21.0}, why="exit code 1")
    record.call("s0", 0, 19.4)
    (impact,) = evidence_of(record).impacts
    assert not impact.hit_something
    assert fault_doubts(impact) == ["fault f1 (exec) was not confirmed: exit code 1"]


def test_beside_a_command_the_calls_that_met_a_kill_are_still_counted(record: RecordBuilder) -> None:
    record.fault()
    record.command("f2")
    record.call("s0", 0, 19.4, gaps={3: 1.25}, ups=migrated(20.01, resumed=21.19, sent=19.4, passed_on=3))
    assert measured(record, "failover.max").value == pytest.approx(1.25)
    assert measured(record, "blast_radius.sessions").value is None


# -- a fault that met no call, behind a gateway that is not ours ------------------------------------------------------


def served(record: ForeignRecord, *times: float, replica: str = "tpu-0") -> None:
    for index, at in enumerate(times):
        record.good_call(f"{replica}-{index}-{at}", at, replica)


def test_a_process_that_served_fell_silent_and_served_again_was_hit(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0"])
    served(foreign, 10.0, 33.0)
    served(foreign, 25.0, replica="gpu-0")
    (impact,) = evidence_of(foreign).impacts
    assert (impact.encounters, impact.silenced, impact.hit_something) == ((), True, True)


def test_a_process_that_never_served_again_was_hit_if_calls_were_due(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0"])
    served(foreign, 0.5, 5.0, 10.0, 15.0)  # 4 in 19.5 s: two were due in 10 s
    assert not evidence_of(foreign).impacts[0].hit_something
    served(foreign, 1.0, 6.0, 11.0, 16.0)  # 8 in 19.5 s: four were due
    assert evidence_of(foreign).impacts[0].hit_something


@pytest.mark.parametrize("times", [(), (33.0,)])
def test_a_process_that_did_not_serve_before_was_not_hit(foreign: ForeignRecord, times: tuple[float, ...]) -> None:
    foreign.fault(targets=["tpu-0"])
    served(foreign, *times)
    served(foreign, 6.0, replica="gpu-0")
    assert not evidence_of(foreign).impacts[0].hit_something


def test_every_target_must_have_fallen_silent(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0", "tpu-1"])
    served(foreign, 10.0, 33.0)
    assert not evidence_of(foreign).impacts[0].hit_something
    served(foreign, 11.0, 34.0, replica="tpu-1")
    assert evidence_of(foreign).impacts[0].hit_something


@pytest.mark.parametrize(("before", "after", "hit"), [(2, 3, True), (3, 3, False), (None, 3, False)])
def test_a_target_that_refused_an_attempt_was_hit_though_none_served(
    foreign: ForeignRecord, before: int | None, after: int, hit: bool
) -> None:
    foreign.fault(targets=["tpu-0", "tpu-1"])
    served(foreign, 10.0, 33.0)
    if before is not None:
        foreign.told(1.0, tpu_0=(9, 0, True), tpu_1=(before, before, True), gpu_0=(0, 0, True))
    foreign.told(22.0, tpu_0=(9, 0, True), tpu_1=(after, after, True), gpu_0=(4, 4, True))
    (impact,) = evidence_of(foreign).impacts
    assert (impact.silenced, impact.hit_something) == (hit, hit)


def test_a_fault_inside_a_replica_hits_no_silence(foreign: ForeignRecord) -> None:
    foreign.fault(kind="latency", targets=["tpu-0"])
    served(foreign, 10.0, 33.0)
    assert not evidence_of(foreign).impacts[0].silenced


def test_behind_our_gateway_only_calls_that_met_the_fault_count(foreign: ForeignRecord) -> None:
    foreign.has_gateway = True
    foreign.fault(targets=["tpu-0"])
    served(foreign, 10.0, 33.0)
    assert not evidence_of(foreign).impacts[0].hit_something


def test_a_count_of_zero_at_the_place_of_the_fault_outweighs_the_silence(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0"], hits=0)
    served(foreign, 10.0, 33.0)
    assert not evidence_of(foreign).impacts[0].hit_something
