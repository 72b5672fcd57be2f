"""The OpenTelemetry SDK of a child process: exports spans to the embedded collector, and counts them.

The packages use the OpenTelemetry API only. Providers of child processes are set up here.
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
from reports.shared.control_port import TOKEN_HEADER

__all__ = ["SpanCount", "resource", "set_up"]

QUEUE_SPANS = 65_536
"""A full processor drops spans silently (SDK 1.45), so the queue is much larger than one export interval needs."""

BATCH_SPANS = 512


class SpanCount(SpanProcessor):
    """Counts spans started and ended. The analysis compares the numbers with the spans received."""

    def __init__(self) -> None:
        self.started = 0
        self.ended = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Count the span as started."""
        self.started += 1

    def on_end(self, span: ReadableSpan) -> None:
        """Count the span as ended: it will be exported."""
        self.ended += 1


def resource(service: str, process: str, incarnation: int) -> Resource:
    """The OpenTelemetry resource of a process: service name and instance."""
    return Resource({SERVICE_NAME: service, SERVICE_INSTANCE: f"{process}#{incarnation}"})


def set_up(
    service: str, process: str, incarnation: int, collector_url: str, token: str, every_s: float
) -> tuple[TracerProvider, SpanCount]:
    """Install the tracer provider of this process. It exports batches to the collector every `every_s` seconds."""
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource(service, process, incarnation))
    count = SpanCount()
    exporter = OTLPSpanExporter(endpoint=f"{collector_url}/v1/traces", headers={TOKEN_HEADER: token}, timeout=5)
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
    """Spans as one OTLP request: the runner passes its own spans to the collector without HTTP."""
    return bytes(encode_spans(spans).SerializeToString())
