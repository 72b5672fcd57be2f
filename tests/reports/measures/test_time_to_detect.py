"""time_to_detect: injection to the first reaction of the gateway."""

from __future__ import annotations

import math

import pytest

from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import RecordBuilder, Try, Up, migrated
from tests.support.record_results import judged, measured, value


def test_detection_is_the_first_reaction_of_the_gateway_to_a_faulted_replica(record: RecordBuilder) -> None:
    record.fault()
    record.transition(20.1, "gpu-0", "ejected")  # not a faulted one
    record.transition(20.2, "tpu-0", "readmitted")  # not a reaction
    record.transition(20.8, "tpu-0", "breaker_open")
    record.call("s0", 0, 6.0)
    assert value(record, "time_to_detect") == pytest.approx(0.8)
    record.call("s1", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "time_to_detect") == pytest.approx(0.02)


def test_without_a_reaction_the_time_to_detect_is_infinite(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 21.0, tokens=3, outcome="truncated", ups=[Up("tpu-0", 21.0, 21.6, "truncated", passed_on=3)])
    assert value(record, "time_to_detect") == math.inf


def test_without_a_fault_time_to_detect_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "time_to_detect").why_not == "no fault was injected"


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


def test_where_an_attempt_may_have_been_refused_detection_is_at_most_what_was_seen(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady()
    ups = [Up("tpu-0", 19.401, 20.01, "reset", replica_span=False), Up("gpu-1", 22.0, 23.0, reason="retry")]
    foreign.call("s0", 0, 19.4, ttft=3.0, ups=ups)
    foreign.good_call("s1", 21.0)
    found = measured(foreign, "time_to_detect")
    assert found.value == pytest.approx(2.001, abs=0.01)
    assert found.interval is not None
    assert found.interval() == (0.0, found.value)
    assert found.note.startswith("at most: an attempt that a dead replica refused")
    passes, undecided = judged(foreign, "time_to_detect <= 3 s", "time_to_detect <= 1 s")
    assert (passes.verdict, undecided.verdict) == ("pass", "inconclusive")
    foreign.refusals((0.0, 0))
    assert measured(foreign, "time_to_detect").interval is None


def test_the_statistics_of_a_real_gateway_show_its_reaction(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.good_call("s0", 6.0)
    foreign.told(1.0, tpu_0=(0, 0, True), gpu_0=(0, 0, True))
    foreign.told(20.6, tpu_0=(0, 0, False), gpu_0=(0, 0, True))
    found = measured(foreign, "time_to_detect")
    assert found.value == pytest.approx(0.6)
    assert found.interval is not None
    assert found.interval() == pytest.approx((0.1, 0.6))
    assert found.note == "at most: the gateway's statistics are read twice a second"


def test_a_reaction_that_was_seen_first_limits_how_early_it_was(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0"])
    foreign.died("tpu-0")
    foreign.refusals((0.0, 0))
    met = Up("tpu-0", 19.401, 20.01, "reset", replica_span=False)
    foreign.call("s0", 0, 19.4, ttft=1.0, ups=[met, Up("gpu-0", 20.1, 21.0, passed_on=11)])
    found = measured(foreign, "time_to_detect")
    assert found.value == pytest.approx(0.1, abs=0.01)
    assert found.interval is None


def test_a_client_that_tries_again_elsewhere_is_no_reaction(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0"])
    foreign.died("tpu-0")
    foreign.refusals((0.0, 0))
    ups = [Up("tpu-0", 19.401, 20.01, "reset", replica_span=False), Up("gpu-0", 20.61, 21.5, passed_on=11)]
    tries = [Try(19.4, 20.02, "reset")]
    foreign.propagates = False
    foreign.call("s0", 0, 19.4, ttft=1.5, tries=tries, last={"start": 20.6}, ups=ups)
    assert value(foreign, "time_to_detect") == math.inf
