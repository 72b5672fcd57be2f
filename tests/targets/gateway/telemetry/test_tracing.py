"""The spans that reports read: request, attempts, decisions, transitions. With an in-memory exporter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from reports.shared import attributes as a
from reports.shared.tenancy import key_of
from targets.gateway.config import Admission, Tier
from targets.gateway.telemetry import tracing
from tests.support.gateway_harness import Act, request_body, rig, until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """An SDK for one test. The provider of the process can be set only once, so the API is patched."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    assert tracing.Tracing().on
    yield exporter
    provider.shutdown()


def by_name(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


async def test_each_attempt_of_a_migrated_request_has_its_span(spans: InMemorySpanExporter) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(Act("fin", 5))
        await at.call(request_body(20), traceparent=PARENT)
        await until(lambda: len(by_name(spans, a.SPAN_GATEWAY_REQUEST)) == 1)
        [request] = by_name(spans, a.SPAN_GATEWAY_REQUEST)
        attempts = by_name(spans, a.SPAN_ATTEMPT)
        upstream_parents = [h["traceparent"] for r in at.replicas for h in r.headers]
    assert request.kind is SpanKind.SERVER
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]
    about = dict(request.attributes or {})
    assert about[a.CONVERSATION_ID] == "s1"
    assert (about[a.AGENT_ID], about[a.TURN], about[a.OUTCOME]) == ("main", 0, "ok")
    assert (about[a.GATEWAY_ATTEMPTS], about[a.GATEWAY_MIGRATIONS]) == (3, 2)
    assert a.ERROR_TYPE not in about
    assert [dict(s.attributes or {})[a.ATTEMPT_REASON] for s in attempts] == ["first", "migration", "migration"]
    assert [dict(s.attributes or {})[a.CONTINUATION_OFFSET] for s in attempts] == [0, 5, 10]
    assert [dict(s.attributes or {})[a.TOKENS_PASSED_ON] for s in attempts] == [5, 5, 10]
    assert [dict(s.attributes or {})[a.OUTCOME] for s in attempts] == ["truncated", "truncated", "ok"]
    assert [s.status.status_code for s in attempts] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert "migration 1 of 3" in str(dict(attempts[1].attributes or {})[a.ATTEMPT_WHY])
    ids = {f"{span.context.span_id:016x}" for span in attempts if span.context}
    assert {header.split("-")[2] for header in upstream_parents} == ids
    decisions = [event for event in request.events if event.name == a.EVENT_DECISION]
    assert len(decisions) == 3
    last = dict(decisions[1].attributes or {})
    assert last[a.DECISION_CHOSEN] == dict(attempts[1].attributes or {})[a.REPLICA]
    assert "failed this call" in str(last[a.DECISION_EXCLUDED])


async def test_an_ejection_is_a_span_in_a_trace_of_its_own(spans: InMemorySpanExporter) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.always = Act("status", status=500)
        await at.call(request_body(), traceparent=PARENT)
        await at.call(request_body(), traceparent=PARENT)
    changes = by_name(spans, a.SPAN_GATEWAY_TRANSITION)
    assert {dict(span.attributes or {})[a.TRANSITION] for span in changes} >= {"ejected"}
    assert all(span.parent is None and span.start_time for span in changes)
    [request, _] = by_name(spans, a.SPAN_GATEWAY_REQUEST)
    about = dict(request.attributes or {})
    assert (about[a.OUTCOME], about[a.ERROR_TYPE], about[a.HTTP_STATUS]) == ("http_5xx", "http_5xx", 500)


async def test_the_attempts_span_replaces_a_traceparent_of_any_spelling(spans: InMemorySpanExporter) -> None:
    async with rig(1) as at:
        await at.call(request_body(2), Traceparent=PARENT)
        await until(lambda: len(by_name(spans, a.SPAN_GATEWAY_REQUEST)) == 1)
        [attempt] = by_name(spans, a.SPAN_ATTEMPT)
        parents = [value for name, value in at.replicas[0].headers[0].items() if name.lower() == "traceparent"]
    assert attempt.context is not None
    assert [parent.split("-")[2] for parent in parents] == [f"{attempt.context.span_id:016x}"]


async def test_spans_of_requests_name_the_tenant_and_the_reason_of_a_refusal(spans: InMemorySpanExporter) -> None:
    tiers = Admission(tiers={"subscription": Tier(), "batch": Tier(tokens_per_s=1.0, burst_tokens=1.0)})
    async with rig(1, admission=tiers) as at:
        for _ in range(2):
            await at.call(request_body(), Authorization=f"Bearer {key_of('acme', 'batch')}")
        await until(lambda: len(by_name(spans, a.SPAN_GATEWAY_REQUEST)) == 2)
    served, refused = by_name(spans, a.SPAN_GATEWAY_REQUEST)
    for span in (served, refused):
        about = dict(span.attributes or {})
        assert (about[a.TENANT], about[a.TIER]) == ("acme", "batch")
    assert dict(refused.attributes or {})[a.OUTCOME] == "rate_limited"
    assert dict(refused.attributes or {})[a.HTTP_STATUS] == 429
    [event] = refused.events
    assert dict(event.attributes or {})[a.DECISION_WHY] == "acme (batch) exceeds 1 tokens/s"
    assert dict(event.attributes or {})[a.DECISION_CHOSEN] == ""
