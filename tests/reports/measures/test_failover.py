"""failover, failover_rate: exact lengths of interruptions."""

from __future__ import annotations

import math

import pytest

from tests.support.foreign_records import ForeignRecord
from tests.support.measure_records import add_failovers
from tests.support.record_builder import RecordBuilder, Up, good_run, migrated
from tests.support.record_results import judged, measured, value


def test_failover_percentiles_are_the_interruptions_of_calls(record: RecordBuilder) -> None:
    add_failovers(record)
    assert value(record, "failover.p50") == pytest.approx(1.0)
    assert value(record, "failover.p90") == pytest.approx(1.8)
    assert value(record, "failover.p95") == math.inf
    assert value(record, "failover.max") == math.inf
    assert value(record, "failover_rate") == pytest.approx(0.9)


def test_failover_max_is_0_where_calls_met_the_fault_without_interruption(record: RecordBuilder) -> None:
    record.fault(kind="slow_decode")
    record.call("s0", 0, 21.0, ups=[Up("tpu-0", 21.0, 21.7, passed_on=11)])
    assert value(record, "failover.max") == 0.0
    assert measured(record, "failover.p50").value is None


def test_without_spans_of_the_stack_only_client_measures_remain(tmp_path_factory: pytest.TempPathFactory) -> None:
    record = good_run(tmp_path_factory.mktemp("url") / "run", sessions=30)
    for place in list(record.by_instance):
        if place[0] != "brownout-loadgen":
            del record.by_instance[place]
    record.fault()
    record.experiment["stack"] = None
    assert "no gateway and no replica of ours" in measured(record, "failover.max").why_not
    assert "no replica of ours" in measured(record, "prefill_amplification").why_not
    assert "no prices" in measured(record, "cost").why_not
    assert value(record, "retry_amplification") == 1.0
    assert value(record, "ttft.p50") == pytest.approx(0.5)


def test_without_a_fault_failover_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "failover.max").why_not == "no fault was injected"
    assert measured(good, "failover_rate").why_not == "no fault was injected"


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


@pytest.fixture
def killed(foreign: ForeignRecord) -> ForeignRecord:
    """Ten calls met a kill: 9 were continued within 0.9 s, one was lost. Two more were sent while it lasted."""
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady()
    for index in range(10):
        met = Up("tpu-0", 19.401, 20.01, "reset", passed_on=3, replica_span=False)
        again = Up("gpu-1", 20.05, 21.0, passed_on=8, offset=3)
        saved = index > 0
        foreign.call(
            f"m{index}",
            0,
            19.4,
            tokens=11 if saved else 3,
            gaps={3: 0.9},
            outcome="ok" if saved else "truncated",
            ups=[met, again] if saved else [met],
        )
    foreign.good_call("slow", 25.0, ttft=4.0)
    foreign.good_call("quick", 26.0)
    return foreign


def ends(record: ForeignRecord, name: str) -> tuple[float, float]:
    found = measured(record, name)
    assert found.interval is not None
    return found.interval()


def test_where_nothing_was_refused_failover_is_as_exact_as_behind_our_gateway(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0))
    found = measured(killed, "failover.max")
    assert (found.value, found.interval, found.note) == (math.inf, None, "")
    assert measured(killed, "failover_rate").value == pytest.approx(0.9)
    assert measured(killed, "failover_rate").note == ""


@pytest.mark.parametrize("refused", [1, 2, 50])
def test_a_refused_call_may_have_been_interrupted_until_its_first_token(killed: ForeignRecord, refused: int) -> None:
    killed.refusals((0.0, 0), (27.0, refused))
    found = measured(killed, "failover.p50")
    assert found.value == pytest.approx(0.9)
    assert ends(killed, "failover.p50")[0] == 0.0
    some = "up to 1" if refused == 1 else "some"
    assert found.note == f"dead replicas may have refused {some} of 2 more calls unseen"
    low, high = ends(killed, "failover_rate")
    assert low <= 0.9 <= high


def test_failover_max_is_at_least_what_was_seen(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady()
    ups = [Up("tpu-0", 19.401, 20.01, "reset", replica_span=False, passed_on=3), Up("gpu-1", 20.05, 21.0, offset=3)]
    foreign.call("met", 0, 19.4, gaps={3: 0.9}, ups=ups)
    foreign.good_call("slow", 25.0, ttft=4.0)
    foreign.refusals((0.0, 0), (27.0, 3))
    assert measured(foreign, "failover.max").value == pytest.approx(0.9)
    assert ends(foreign, "failover.max") == pytest.approx((0.9, 4.0))
    passes, undecided, fails = judged(foreign, "failover.max <= 5 s", "failover.max <= 2 s", "failover.max <= 500 ms")
    assert [gate.verdict for gate in (passes, undecided, fails)] == ["pass", "inconclusive", "fail"]
    assert undecided.why == ("900 ms (dead replicas may have refused some of 1 more calls unseen); <= 2 s is undecided")


def test_a_failed_call_may_have_met_a_dead_replica(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady()
    foreign.call("lost", 0, 25.0, ttft=None, outcome="http_5xx", ups=[])
    foreign.refusals((0.0, 0), (27.0, 3))
    found = measured(foreign, "failover.max")
    assert (found.value, ends(foreign, "failover.max")) == (0.0, (0.0, math.inf))
    assert found.note.endswith("1 more calls unseen, of which 1 failed")
    (gate,) = judged(foreign, "failover.max <= 5 s")
    assert gate.verdict == "inconclusive"


def test_the_failover_rate_is_bounded_by_the_calls_that_may_have_met_it(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady()
    for index in range(20):
        foreign.call(f"lost{index}", 0, 25.0, ttft=None, outcome="http_5xx", ups=[])
    killed_then_saved = [Up("tpu-0", 19.401, 20.01, "reset", replica_span=False), Up("gpu-1", 20.05, 21.0)]
    foreign.call("met", 0, 19.4, ttft=1.0, ups=killed_then_saved)
    foreign.refusals((0.0, 0), (27.0, 4))
    assert measured(foreign, "failover_rate").value == 1.0
    assert ends(foreign, "failover_rate")[0] <= 1 / 5
    foreign.events = [event for event in foreign.events if event["type"] != "refused"]
    assert ends(foreign, "failover_rate")[0] <= 1 / 21


@pytest.mark.parametrize("name", ["failover.max", "failover_rate"])
def test_beside_a_command_of_the_user_the_note_says_what_is_not_known(record: RecordBuilder, name: str) -> None:
    record.fault()
    record.call("s0", 0, 19.5, gaps={5: 0.84}, ups=migrated(20.02, resumed=20.9, sent=19.5, passed_on=5))
    record.session("s0", 19.0, 22.0)
    alone = measured(record, name)
    record.command("f2")
    both = measured(record, name)
    assert both.value == alone.value is not None
    assert (alone.note, both.note) == (
        "",
        "which calls met the fault exec is not known: it acts outside brownout",
    )
