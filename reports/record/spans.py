"""Decodes the span files of a record: length-prefixed OTLP messages.

A file `NNNN.otlp` is a sequence of 4-byte big-endian lengths and `ExportTraceServiceRequest` messages. An incomplete
message (after a crash) ends its file; the messages before it are used. A message that cannot be decoded is counted and
skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from sys import intern
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from reports.shared import attributes as names
from reports.shared.regular_file import open_regular

__all__ = ["Span", "SpanEvent", "SpanFiles", "read_spans"]

_LENGTH: Final = Struct(">I")
_LONGEST_MESSAGE: Final = 64 << 20


@dataclass(slots=True)
class SpanEvent:
    """One event on a span; `at_ns` is unix time."""

    name: str
    at_ns: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Span:
    """One span as received. Ids have 16 and 8 bytes; `parent_id` is empty for a root. Times are unix nanoseconds."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    service: str
    instance: str
    start_ns: int
    end_ns: int
    error: bool
    attributes: dict[str, Any]
    events: list[SpanEvent]

    def event(self, name: str) -> Iterator[SpanEvent]:
        """The events with this name, in order."""
        return (event for event in self.events if event.name == name)


@dataclass(slots=True)
class SpanFiles:
    """Counts of files, messages and spans, updated while the files are read.

    `torn`: files that end in an incomplete message. `undecodable`: messages that were skipped.
    `unreadable`: what could not be read, each with the reason. Of a torn file only if it is not the last one, which a
    crash can leave so.
    """

    files: int = 0
    messages: int = 0
    spans: int = 0
    torn: int = 0
    undecodable: int = 0
    unreadable: list[str] = field(default_factory=list)
    by_instance: dict[str, int] = field(default_factory=dict)


def read_spans(folder: Path, found: SpanFiles) -> Iterator[Span]:
    """All spans in `folder` in the order received; updates `found`. None where the folder is missing."""
    paths = sorted(folder.glob("*.otlp"))
    for path in paths:
        found.files += 1
        for message in _messages(path, found, last=path == paths[-1]):
            try:
                request = ExportTraceServiceRequest.FromString(message)
            except DecodeError:
                found.undecodable += 1
                continue
            found.messages += 1
            yield from _spans(request, found)


def _messages(path: Path, found: SpanFiles, *, last: bool) -> Iterator[bytes]:
    try:
        file = open_regular(path)
    except OSError as error:
        found.unreadable.append(f"{path.name} cannot be read: {error.strerror or error}")
        return
    with file:
        while head := file.read(_LENGTH.size):
            length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else _LONGEST_MESSAGE + 1
            message = file.read(length) if length <= _LONGEST_MESSAGE else b""
            if len(message) < length:
                found.torn += 1
                if not last:
                    found.unreadable.append(f"{path.name} ends in an incomplete message, and is not the last file")
                return
            yield message


def _spans(request: Any, found: SpanFiles) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        service = intern(str(resource.get(names.SERVICE_NAME, "")))
        instance = intern(str(resource.get(names.SERVICE_INSTANCE, service)))
        for scope_spans in resource_spans.scope_spans:
            count = 0
            for span in scope_spans.spans:
                count += 1
                yield Span(
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    intern(span.name),
                    service,
                    instance,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == 2,
                    _attributes(span.attributes),
                    [SpanEvent(intern(e.name), e.time_unix_nano, _attributes(e.attributes)) for e in span.events],
                )
            found.spans += count
            found.by_instance[instance] = found.by_instance.get(instance, 0) + count


def _attributes(pairs: Any) -> dict[str, Any]:
    return {intern(pair.key): _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        text = value.string_value
        return intern(text) if len(text) < 24 else text
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)
