"""Whether the machine was fast enough: limits, severe lateness, and lateness that is not known."""

from __future__ import annotations

from typing import Any

import pytest

from reports.gates.validity import Proofs, prove
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of


def proofs_of(record: RecordBuilder) -> Proofs:
    return prove(evidence_of(record))


def lateness(total: int, late: int) -> dict[str, Any]:
    """Counters of a replica: `late` of `total` tokens were 20 to 50 ms late, the others on time."""
    counts = {"1": total - late, "2": 0, "3": 0, "5": 0, "10": 0, "20": 0, "50": late, "inf": 0}
    return {"token_lateness_ms": {"count": total, "buckets": counts}}


@pytest.mark.parametrize(("late", "sound"), [(2, True), (3, False)])
def test_more_than_2_percent_of_late_sessions_is_a_doubt(record: RecordBuilder, late: int, sound: bool) -> None:
    record.load_gauges(arrivals=100, late=late)
    proofs = proofs_of(record)
    assert proofs.loadgen["sound"] is sound
    assert sound or "started over 100 ms late" in proofs.latency_doubts[0]


def test_a_burst_of_cpu_shorter_than_5_s_is_no_doubt(record: RecordBuilder) -> None:
    cpu = 0.0
    for second in range(56):
        cpu += 1.0 if 25 <= second < 29 else 0.4
        record.gauge("locust", second, kind="load", data={"arrivals": 1, "load_started": None}, cpu_s=cpu)
    proofs = proofs_of(record)
    assert proofs.latency_doubts == ()
    assert proofs.loadgen["worst_cpu"] == pytest.approx((4 * 1.0 + 0.4) / 5)


@pytest.mark.parametrize(("late", "doubts"), [(10, 0), (11, 1)])
def test_token_lateness_is_judged_at_its_p99(record: RecordBuilder, late: int, doubts: int) -> None:
    record.gauge("gpu-0", 4.0, kind="replica", data=lateness(500, 400))  # the warm-up's do not count
    record.gauge("gpu-0", 4.9, kind="replica", data=lateness(500, 400))
    record.gauge("gpu-0", 50.0, kind="replica", data=lateness(1500, 400 + late))
    proofs = proofs_of(record)
    assert len(proofs.latency_doubts) == doubts
    assert proofs.machine["tokens"] == 1000
    assert proofs.machine["token_lateness_p99_ms"] == (1.0 if late == 10 else 50.0)


def test_late_tokens_of_a_frozen_replica_do_not_count(record: RecordBuilder) -> None:
    record.fault(kind="freeze", targets=("tpu-0",))
    for at, late in ((6.0, 0), (19.9, 0), (30.1, 300), (31.9, 600), (32.1, 600), (50.0, 600)):
        record.gauge("tpu-0", at, kind="replica", data=lateness(1000 + int(at), late))
    assert [doubt for doubt in proofs_of(record).latency_doubts if "late" in doubt] == []


@pytest.mark.parametrize(("late", "sound"), [(10, True), (11, False)])
def test_the_gateways_loop_may_be_late_in_one_check_of_a_hundred(record: RecordBuilder, late: int, sound: bool) -> None:
    record.gauge("gateway", 4.0, kind="gateway", data={"replicas": {}}, ticks=(80, 80))  # the warm-up's do not count
    record.gauge("gateway", 5.0, kind="gateway", data={"replicas": {}}, lag_s=0.06, ticks=(100, 90))
    record.gauge("gateway", 45.0, kind="gateway", data={"replicas": {}}, ticks=(1100, 90 + late))
    proofs = proofs_of(record)
    assert proofs.machine["sound"] is sound
    assert proofs.machine["gateway_loop_lag_max_s"] == 0.06


@pytest.mark.parametrize(("late", "severe"), [(50, False), (51, True)])
def test_lateness_that_changes_what_happens_is_severe(record: RecordBuilder, late: int, severe: bool) -> None:
    record.gauge("gpu-0", 5.0, kind="replica", data=lateness(0, 0))
    record.gauge("gpu-0", 50.0, kind="replica", data=lateness(1000, late))
    (doubt,) = proofs_of(record).machine_doubts
    assert (doubt.concern, doubt.severe) == ("lateness", severe)
    assert doubt.text == f"{late / 10:.1f}% of the replicas' tokens were over 20 ms late (limit 1%)"


def test_a_process_that_stood_still_for_a_second_is_a_severe_doubt(record: RecordBuilder) -> None:
    record.gauge("gateway", 6.0, kind="gateway", data={}, lag_s=0.9)
    record.gauge("gateway", 7.0, kind="gateway", data={}, lag_s=1.3)
    (doubt,) = proofs_of(record).machine_doubts
    assert (doubt.text, doubt.severe) == ("the process of gateway stood still for 1.3 s (limit 1 s)", True)


def test_a_frozen_replica_stands_still_without_a_doubt(record: RecordBuilder) -> None:
    record.fault(kind="freeze", targets=("tpu-0",))
    record.gauge("tpu-0", 31.0, kind="replica", data=lateness(10, 0), lag_s=10.0)
    assert proofs_of(record).machine_doubts == ()


@pytest.mark.parametrize(
    ("kind", "text"),
    [("load", "load generator's counters are missing"), ("gateway", "gateway's counters"), ("replica", "of gpu-0 are")],
)
def test_lateness_that_was_not_recorded_is_unknown_and_not_fast_enough(
    good: RecordBuilder, kind: str, text: str
) -> None:
    evidence_of(good)  # adds the counters
    good.has_counters = False
    good.gauges = [post for post in good.gauges if post["kind"] != kind]
    (doubt,) = proofs_of(good).machine_doubts
    assert (doubt.concern, doubt.severe) == ("unknown", False)
    assert text in doubt.text


@pytest.mark.parametrize("broken", [None, 7, {}, {"count": 1}, {"count": 1, "buckets": {"x": "y"}}, {"buckets": {}}])
def test_counters_that_cannot_be_read_are_unknown(good: RecordBuilder, broken: object) -> None:
    good.gauge("gpu-0", 6.0, kind="replica", data={"token_lateness_ms": broken})
    good.gauge("gpu-0", 9.0, kind="replica", data={"token_lateness_ms": broken})
    (doubt,) = proofs_of(good).machine_doubts
    assert doubt.text == "the counters of gpu-0 are missing or cannot be read: the lateness of tokens is unknown"


def test_one_post_of_a_replica_says_nothing_of_its_lateness(good: RecordBuilder) -> None:
    evidence_of(good)
    good.has_counters = False
    good.gauges = [post for post in good.gauges if post["process"] != "gpu-0"]
    good.gauge("gpu-0", 6.0, kind="replica", data=lateness(10, 0))
    (doubt,) = proofs_of(good).machine_doubts
    assert doubt.concern == "unknown"


@pytest.mark.parametrize("broken", ["many", None, [1], {}])
def test_arrivals_that_cannot_be_read_are_unknown(record: RecordBuilder, broken: object) -> None:
    record.gauge("locust", 6.0, kind="load", data={"load_started": 1, "arrivals": broken, "late_arrivals": broken})
    (doubt,) = proofs_of(record).machine_doubts
    assert (doubt.concern, doubt.text[:40]) == ("unknown", "the load generator's counters are missin")


def test_counters_that_are_no_mapping_are_read_as_empty(record: RecordBuilder) -> None:
    record.load_gauges()
    evidence_of(record)
    record.has_counters = False
    record.gauges[3]["data"] = ["text"]
    assert [doubt.concern for doubt in proofs_of(record).machine_doubts] == []


def test_a_real_endpoint_needs_the_counters_of_the_load_generator_only(good: RecordBuilder) -> None:
    evidence_of(good)
    good.has_counters = False
    good.by_instance = {key: spans for key, spans in good.by_instance.items() if key[0] == "brownout-loadgen"}
    good.gauges = [post for post in good.gauges if post["kind"] == "load"]
    assert proofs_of(good).machine_doubts == ()
