"""blast_radius: sessions, tenants and pools that the fault affected."""

from __future__ import annotations

import pytest

from tests.support.foreign_records import ForeignRecord
from tests.support.measure_records import add_failovers
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import judged, measured, value


def test_blast_radius_is_the_share_that_met_the_fault_or_failed_from_it(record: RecordBuilder) -> None:
    add_failovers(record)
    for index in range(30):
        record.call(f"q{index}", 0, 25.0)
        record.session(f"q{index}", 25.0, 26.0)
    assert value(record, "blast_radius.sessions") == pytest.approx(10 / 40)
    assert value(record, "blast_radius.failed_sessions") == pytest.approx(1 / 40)
    assert value(record, "blast_radius.tenants") == 1.0
    assert value(record, "blast_radius.pools") == pytest.approx(1 / 2)


def test_without_a_fault_blast_radius_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "blast_radius.sessions").why_not == "no fault was injected"


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


@pytest.fixture
def killed(foreign: ForeignRecord) -> ForeignRecord:
    """Of 10 sessions, one met a kill and was lost; three others called while it lasted, and one of them was lost."""
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady(5)
    up = Up("tpu-0", 19.401, 20.01, "reset", replica_span=False)
    foreign.call("met", 0, 19.4, tokens=3, outcome="truncated", ups=[up])
    foreign.call("failed", 0, 25.0, ttft=None, outcome="http_5xx", ups=[])
    for name in ("met", "failed"):
        foreign.session(name, 19.4, 26.0, "lost")
    for at in (25.0, 26.0, 40.0):
        foreign.good_call(f"good{at}", at)
    return foreign


@pytest.mark.parametrize(
    ("name", "refused", "high"),
    [
        ("blast_radius.sessions", 9, 0.4),
        ("blast_radius.sessions", 2, 0.3),
        ("blast_radius.failed_sessions", 9, 0.2),
    ],
)
def test_sessions_that_may_have_met_a_dead_replica_are_in_the_interval(
    killed: ForeignRecord, name: str, refused: int, high: float
) -> None:
    killed.refusals((0.0, 0), (27.0, refused))
    found = measured(killed, name)
    assert found.value == pytest.approx(0.1)
    assert found.interval is not None
    assert found.interval() == pytest.approx((0.1, high))
    assert found.note == "at least: calls that a dead replica may have refused unseen are not in it"


def test_a_blast_radius_is_judged_by_both_ends(killed: ForeignRecord) -> None:
    passes, undecided, fails = judged(
        killed, "blast_radius.sessions <= 50%", "blast_radius.sessions <= 20%", "blast_radius.sessions <= 5%"
    )
    assert [gate.verdict for gate in (passes, undecided, fails)] == ["pass", "inconclusive", "fail"]
    killed.refusals((0.0, 0))
    (exact,) = judged(killed, "blast_radius.sessions <= 20%")
    assert (exact.verdict, exact.interval) == ("pass", None)


def test_a_pool_that_may_have_refused_unseen_is_in_the_interval(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.good_call("s0", 6.0, "tpu-0")
    foreign.good_call("s1", 25.0)
    found = measured(foreign, "blast_radius.pools")
    assert found.value == 0.0
    assert found.interval is not None
    assert found.interval() == (0.0, 0.5)
