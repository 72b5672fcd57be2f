"""Demand faults in the player: extra sessions and changed calls, on a lease."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from loadprofiles.demand import Demand, Order, demand_of
from loadprofiles.sessions.session import SessionPlan
from reports.shared import attributes as names
from tests.support.player_rig import Rig, attrs, call, named, plan
from tests.support.scripted_server import prove, whole

SURGE = demand_of(Order("f1", "surge", {"factor": 3}))


def every(gap_s: float, prefix: str, count: int = 500) -> Iterator[SessionPlan]:
    for i in range(count):
        one = plan(i, gap_s * i, call(f"{prefix}-{i}", 0))
        yield replace(one, id=f"{prefix}-{i}")


def extra(demand: Demand, from_s: float) -> Iterator[SessionPlan]:
    for one in every(0.05, f"r-{demand.order.id}"):
        yield replace(one, start_at_s=from_s + one.start_at_s, fault=demand.order.id if demand.marked else "")


def rig(**options: Any) -> Rig:
    return Rig(lambda server: prove(server), every(0.2, "r"), extra=extra, **options)


def chats_of(spans: InMemorySpanExporter, *sessions: str) -> list[Any]:
    """The chat span of each of these sessions."""
    chats = named(spans, f"{names.SPAN_CHAT} m")
    return [one for session in sessions for one in chats if attrs(one)[names.CONVERSATION_ID] == session]


def test_extra_sessions_are_added_while_they_are_ordered(
    spans: InMemorySpanExporter,
) -> None:
    with rig() as here:
        here.player.order([SURGE])
        here.until(lambda: here.player.demand()["demand"].get("f1", 0) >= 5)
        here.player.order([])
        hits = here.player.demand()
        assert hits["demand"] == {}
        started = here.counters.arrivals
        here.until(lambda: here.counters.arrivals >= started + 2)  # the plan's own sessions continue
        assert here.player.demand()["demand_over"] == hits["demand_over"]
        assert here.player.arrivals_due() >= here.counters.arrivals
        here.player.drain()
        here.player.wait(5)
        found = here.counters.snapshot(here.player)
    assert found["arrivals_planned"] == found["arrivals"]
    added = [attrs(span) for span in named(spans, names.SPAN_SESSION) if names.FAULT_ID in attrs(span)]
    assert len(added) == found["demand_over"]["f1"]  # type: ignore[index]
    assert {one[names.FAULT_ID] for one in added} == {"f1"}
    assert all(str(one[names.CONVERSATION_ID]).startswith("r-f1-") for one in added)


def test_extra_sessions_end_when_the_lease_expires() -> None:
    with rig() as here:
        here.player.client.demand.lease_s = 0.3
        here.player.order([SURGE])
        here.until(lambda: here.player.demand()["demand"].get("f1", 0) >= 2)
        here.until(lambda: here.player.demand()["demand"] == {})
        hits = here.player.demand()["demand_over"]["f1"]
        started = here.counters.arrivals
        here.until(lambda: here.counters.arrivals >= started + 2)
        assert here.player.demand()["demand_over"]["f1"] == hits


@pytest.mark.parametrize("end", ["drain", "stop"])
def test_a_load_that_drains_or_stops_ends_all_orders_and_accepts_no_new_ones(end: str) -> None:
    with rig() as here:
        here.player.order([SURGE])
        here.until(lambda: here.counters.arrivals >= 4)
        getattr(here.player, end)()
        arrivals = here.counters.arrivals
        here.player.order([SURGE])
        assert here.player.demand()["demand"] == {}
        assert here.player.wait(5)
        assert here.counters.arrivals == arrivals


def test_a_demand_whose_sessions_cannot_be_planned_does_not_stop_the_load() -> None:
    def broken(demand: Demand, from_s: float) -> Iterator[SessionPlan]:
        raise OSError("no such folder")

    with Rig(lambda server: prove(server), every(0.05, "r"), extra=broken) as here:
        here.player.order([SURGE])
        here.until(lambda: here.counters.arrivals >= 3)


def test_a_longer_call_is_checked_at_its_new_length_and_names_the_fault(spans: InMemorySpanExporter) -> None:
    plans = iter([plan(0, 0.0, call("r-0", 0)), plan(1, 2.0, call("r-1", 0))])
    with Rig(lambda server: prove(server), plans) as here:
        here.until(lambda: here.counters.arrivals == 1)
        here.until(lambda: here.counters.running == 0)
        here.player.order([demand_of(Order("f2", "long_reasoning", {"factor": 5, "share": 1.0}))])
        assert here.player.wait(5)
    # By their sessions: a session of an earlier test that ends now writes a span here, too.
    before, after = chats_of(spans, "r-0", "r-1")
    assert (attrs(before)[names.TOKENS_RECEIVED], attrs(after)[names.TOKENS_RECEIVED]) == (8, 40)
    assert attrs(after)[names.OUTCOME] == "ok"
    assert not before.events
    [hit] = after.events
    assert hit.name == names.EVENT_FAULT_HIT
    assert dict(hit.attributes or {}) == {names.FAULT_ID: "f2", names.FAULT_KIND: "long_reasoning"}
    assert here.player.demand()["demand_over"] == {"f2": 1}


def test_a_client_without_retries_retries_during_a_retry_storm() -> None:
    with Rig(lambda server: whole(503), iter([plan(0, 0.2, call("r-0", 0))])) as here:
        here.player.order([demand_of(Order("f3", "retry_storm", {"timeout_s": 1.0}))])
        here.until(lambda: len(here.server.requests) >= 3)
        here.player.order([])
        with gevent.Timeout(5):
            here.player.wait()
    assert here.counters.calls_failed == 1
    assert here.player.demand()["demand_over"] == {"f3": 1}
