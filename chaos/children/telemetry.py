"""The OpenTelemetry SDK of a child process: spans to the embedded collector, and how many there should be.

The packages use the API only; this is the one place that sets a provider up.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from reports.shared.attributes import SERVICE_INSTANCE, SERVICE_NAME

__all__ = ["SpanCount", "resource", "set_up"]

QUEUE_SPANS = 65_536
"""The processor drops silently when full (SDK 1.45), so it holds far more than an export interval can bring."""

BATCH_SPANS = 512


class SpanCount(SpanProcessor):
    """Counts spans started and ended, to be held against what the collector received."""

    def __init__(self) -> None:
        self.started = 0
        self.ended = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """One more began."""
        self.started += 1

    def on_end(self, span: ReadableSpan) -> None:
        """One more ended, and will be sent."""
        self.ended += 1


def resource(service: str, process: str, incarnation: int) -> Resource:
    """Who the spans come from."""
    return Resource({SERVICE_NAME: service, SERVICE_INSTANCE: f"{process}#{incarnation}"})


def set_up(
    service: str, process: str, incarnation: int, collector_url: str, token: str, every_s: float
) -> tuple[TracerProvider, SpanCount]:
    """Make and install the process's tracer provider: batches to the collector every `every_s` seconds."""
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource(service, process, incarnation))
    count = SpanCount()
    exporter = OTLPSpanExporter(endpoint=f"{collector_url}/v1/traces", headers={"x-brownout-token": token}, timeout=5)
    provider.add_span_processor(count)
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE_SPANS,
            schedule_delay_millis=int(every_s * 1000),
            max_export_batch_size=BATCH_SPANS,
        )
    )
    trace.set_tracer_provider(provider)
    return provider, count


def encode(spans: list[ReadableSpan]) -> bytes:
    """Spans as one OTLP request, for the runner, which hands its own to the collector directly."""
    return bytes(encode_spans(spans).SerializeToString())
