"""Values in OTLP form, with times relative to the start of the load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

__all__ = ["ZERO_NS", "add_event", "any_value", "key_values", "ns"]

ZERO_NS = 1_800_000_000_000_000_000
"""The start of the load in Unix nanoseconds."""


def ns(at: float) -> int:
    """A time of the run as Unix nanoseconds."""
    return ZERO_NS + round(at * 1e6) * 1000


def add_event(span: ProtoSpan, name: str, at: float, attributes: Mapping[str, Any]) -> None:
    """Add an event to a span."""
    span.events.add(name=name, time_unix_nano=ns(at), attributes=key_values(attributes))


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes in OTLP form."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: Any) -> AnyValue:
    """A value in OTLP form."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list() | tuple():
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    return AnyValue(string_value=str(value))
