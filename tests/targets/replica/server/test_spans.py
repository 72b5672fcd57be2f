"""The spans of a request, read from an in-memory exporter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode

from reports.shared import attributes as names
from targets.replica.server.server import ReplicaServer
from targets.replica.server.spans import Spans
from tests.support.replica_harness import MODEL, TOOLS, chat, config, expected, marked, post, put, running, until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def traced(exporter: InMemorySpanExporter) -> AsyncIterator[ReplicaServer]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with running(tracer=provider.get_tracer("test")) as server:
        yield server


async def spans_of(exporter: InMemorySpanExporter, requests: int = 1) -> Callable[[str], list[ReadableSpan]]:
    def named(name: str) -> list[ReadableSpan]:
        return [span for span in exporter.get_finished_spans() if span.name == name]

    await until(lambda: len(named(names.SPAN_REPLICA_REQUEST)) == requests, "the request's span has ended")
    return named


async def test_a_request_has_its_attributes_and_three_phases(
    traced: ReplicaServer, exporter: InMemorySpanExporter
) -> None:
    async with aiohttp.ClientSession(headers={"traceparent": PARENT}) as session:
        body = chat(marked("word " * 200, session="s7", turn=3), max_tokens=20, tools=TOOLS)
        async with session.post(traced.url + "/v1/chat/completions", json=body) as response:
            await response.read()
    named = await spans_of(exporter)
    (request,) = named(names.SPAN_REPLICA_REQUEST)
    assert request.context is not None
    assert request.parent is not None
    assert request.kind is SpanKind.SERVER
    assert f"{request.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]
    attributes = dict(request.attributes or {})
    prompt = attributes.pop(names.PROMPT_TOKENS)
    assert attributes == {
        names.REPLICA: "gpu-0",
        names.POOL: "gpu",
        names.CLOUD: "aws",
        names.OUTCOME: "ok",
        names.HTTP_STATUS: 200,
        names.SENT: 20,
        names.DECODED: 20,
        names.REQUEST_MODEL: MODEL,
        names.REQUEST_STREAM: True,
        names.REQUEST_MAX_TOKENS: 20,
        names.RESPONSE_FINISH_REASONS: ("tool_calls",),
        names.CONVERSATION_ID: "s7",
        names.AGENT_ID: "main",
        names.TURN: 3,
        names.PREFILL_CACHED: 0,
        names.PREFILL_COMPUTED: prompt,
        names.PREEMPTIONS: 0,
    }
    (queue,), (prefill,), (decode,) = (
        named(name) for name in (names.SPAN_REPLICA_QUEUE, names.SPAN_REPLICA_PREFILL, names.SPAN_REPLICA_DECODE)
    )
    for child in (queue, prefill, decode):
        assert child.parent is not None
        assert child.parent.span_id == request.context.span_id
    times = [request.start_time, queue.start_time, queue.end_time, prefill.end_time, decode.end_time, request.end_time]
    assert all(time is not None for time in times)
    assert times == sorted(times, key=lambda time: time or 0)
    assert queue.end_time == prefill.start_time
    assert prefill.end_time == decode.start_time


async def test_a_hit_is_an_event_on_the_span_of_its_request(
    traced: ReplicaServer, exporter: InMemorySpanExporter
) -> None:
    await put(traced, "f1", "cut", params={"after_tokens": 4})
    await put(traced, "f2", "latency", params={"ms": 1})
    with pytest.raises(aiohttp.ClientPayloadError):
        await post(traced, chat(marked("x"), max_tokens=30))
    (request,) = (await spans_of(exporter))(names.SPAN_REPLICA_REQUEST)
    hits = [(event.name, dict(event.attributes or {})) for event in request.events]
    assert hits == [
        (names.EVENT_FAULT_HIT, {names.FAULT_ID: "f2", names.FAULT_KIND: "latency"}),
        (names.EVENT_FAULT_HIT, {names.FAULT_ID: "f1", names.FAULT_KIND: "cut"}),
    ]
    assert request.attributes is not None
    assert request.attributes[names.OUTCOME] == request.attributes[names.ERROR_TYPE] == "truncated"
    assert request.attributes[names.SENT] == 4
    assert request.status.status_code is StatusCode.ERROR


async def test_an_error_status_and_a_disconnect_have_different_outcomes(
    traced: ReplicaServer, exporter: InMemorySpanExporter
) -> None:
    await post(traced, {"messages": []})
    task = asyncio.create_task(post(traced, chat(marked("x"), max_tokens=3000)))
    await until(lambda: traced.snapshot()["decoded_tokens"] > 2, "a stream is in progress")
    task.cancel()
    rejected, abandoned = (await spans_of(exporter, 2))(names.SPAN_REPLICA_REQUEST)
    assert rejected.attributes is not None
    assert abandoned.attributes is not None
    assert (rejected.attributes[names.OUTCOME], rejected.attributes[names.HTTP_STATUS]) == ("http_4xx", 400)
    assert abandoned.attributes[names.OUTCOME] == "abandoned"
    decoded = abandoned.attributes[names.DECODED]
    assert isinstance(decoded, int)
    assert decoded >= 2


async def test_the_span_of_a_continuation_has_its_offset(traced: ReplicaServer, exporter: InMemorySpanExporter) -> None:
    partial = {"role": "assistant", "content": expected("s1", 0, 0, 5)}
    await post(traced, chat("", messages=[{"role": "user", "content": marked("x")}, partial], max_tokens=3))
    (request,) = (await spans_of(exporter))(names.SPAN_REPLICA_REQUEST)
    assert request.attributes is not None
    assert request.attributes[names.CONTINUATION_OFFSET] == 5
    assert request.attributes[names.SENT] == 3


def test_without_an_sdk_there_is_no_span() -> None:
    assert Spans(config(), NoOpTracer()).begin({"traceparent": PARENT}, 1.0) is None
