"""`slow_scheduler`: decisions one at a time, in order; a stall; waiting requests proceed when it ends."""

from __future__ import annotations

import asyncio
from time import monotonic

import msgspec
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reports.shared import attributes as a
from reports.shared.tokens import Marker
from targets.gateway.behaviours.active import ActiveBehaviours
from tests.support.gateway_harness import request_body, rig, until
from tests.targets.gateway.telemetry.test_tracing import by_name, spans

__all__ = ["spans"]


def body(lease_s: float = 60, **params: float) -> bytes:
    return msgspec.json.encode({"kind": "slow_scheduler", "params": params, "lease_s": lease_s})


def made() -> ActiveBehaviours:
    return ActiveBehaviours(asyncio.get_running_loop(), ["r0"], lambda name, stuck: None)


async def test_decisions_are_made_one_at_a_time_in_order_of_arrival() -> None:
    active, done = made(), []

    async def ask(number: int) -> None:
        await active.wait_for_decision()
        done.append((number, monotonic() - began))

    active.put("f1", body(ms=60))
    began = monotonic()
    await asyncio.gather(*(ask(number) for number in range(4)))
    assert [number for number, _ in done] == [0, 1, 2, 3]
    for number, at in done:
        assert at >= 0.06 * (number + 1) - 0.01
    assert active.hits == {"f1": 4}
    active.close()


async def test_without_the_behaviour_no_decision_waits() -> None:
    active = made()
    assert not active.delays_decisions
    assert await active.wait_for_decision() == []


async def test_waiting_decisions_proceed_at_once_when_the_behaviour_is_removed() -> None:
    active = made()
    active.put("f1", body(stall_s=600))
    waiting = [asyncio.create_task(active.wait_for_decision()) for _ in range(5)]
    await until(lambda: active.hits["f1"] == 5)
    assert active.remove("f1") == 5
    async with asyncio.timeout(1):
        for hits in await asyncio.gather(*waiting):
            assert [(hit.fault_id, hit.kind) for hit in hits] == [("f1", "slow_scheduler")]


async def test_waiting_decisions_proceed_when_the_lease_expires() -> None:
    active = made()
    active.put("f1", body(lease_s=0.2, stall_s=600))
    async with asyncio.timeout(2):
        await active.wait_for_decision()
    assert active.listing() == {}


async def test_a_new_stall_delays_waiting_decisions_and_ends_by_itself() -> None:
    active = made()
    active.put("f1", body(ms=200))
    began = monotonic()
    waiting = asyncio.create_task(active.wait_for_decision())
    await until(lambda: active.hits["f1"] == 1)
    active.put("f2", body(stall_s=0.4))
    hits = await waiting
    assert monotonic() - began >= 0.4
    assert [hit.fault_id for hit in hits] == ["f1", "f2"]
    began = monotonic()
    await active.wait_for_decision()  # the stall is over, the delay per decision is not
    assert monotonic() - began >= 0.15
    active.close()


async def test_a_cancelled_decision_does_not_block_the_next_one() -> None:
    active = made()
    active.put("f1", body(ms=50))
    leaving, staying = asyncio.create_task(active.wait_for_decision()), asyncio.create_task(active.wait_for_decision())
    await until(lambda: active.hits["f1"] == 2)
    leaving.cancel()
    async with asyncio.timeout(2):
        assert len(await staying) == 1
    active.close()


async def test_a_delayed_request_has_a_fault_hit_event_on_its_span(spans: InMemorySpanExporter) -> None:
    async with rig(1) as at:
        put = {"kind": "slow_scheduler", "params": {"ms": 100}, "lease_s": 5}
        await at.control("PUT", "/behaviours/f1", put)
        began = monotonic()
        seen = await asyncio.gather(*(at.call(request_body(3, marker=Marker(f"s{n}", "main", 0))) for n in range(3)))
        assert monotonic() - began >= 0.29
        assert [one.status for one in seen] == [200, 200, 200]
        assert at.gateway.snapshot()["hits"] == {"f1": 3}
        assert await at.control("DELETE", "/behaviours/f1") == (200, {"hits": 3})
        await until(lambda: len(by_name(spans, a.SPAN_GATEWAY_REQUEST)) == 3)
    for span in by_name(spans, a.SPAN_GATEWAY_REQUEST):
        [hit] = [event for event in span.events if event.name == a.EVENT_FAULT_HIT]
        assert dict(hit.attributes or {}) == {a.FAULT_ID: "f1", a.FAULT_KIND: "slow_scheduler"}
