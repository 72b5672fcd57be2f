"""Copies of spans for a back-end of the user's while a fault is withheld, as in a game day.

    request (OTLP) --strip--> the same request without what tells the fault; b"" if nothing is left
                    \\-> spans of faults are held back, at most HELD_BYTES, until `release`

What tells, by the names of `reports.shared.attributes`:

    brownout.fault                       the span of a fault: held back
    brownout.fault.*                     events and attributes: removed
    any other text with "brownout.fault" removed, with the attribute, event, link or span that has it
    brownout.session.profile, gen_ai.agent.name, "invoke_agent NAME"
                                         the name of the load's profile, as "surge": removed

A span that a replica, the gateway or the load wrote is real traffic, and stays. The record is not changed. A request
that holds none of these names is passed on as it is, without being decoded.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from reports.shared import attributes as names

__all__ = ["HELD_BYTES", "Withholding"]

HELD_BYTES: Final = 1024 * 1024
"""Of the spans of faults that are held back: some thousands. Later ones are not copied."""

_FAULT_NAME: Final = names.SPAN_FAULT
"""Every name of a span, an event or an attribute of a fault begins with it."""
_FAULT: Final = _FAULT_NAME.encode()
_OF_PROFILE: Final = frozenset({names.SESSION_PROFILE, names.AGENT_NAME})
_AGENT: Final = f"{names.SPAN_INVOKE_AGENT} "
_Attributes = MutableSequence[KeyValue]
_TELLING: Final = (_FAULT, *(name.encode() for name in _OF_PROFILE), _AGENT.encode())


class Withholding:
    """A switch, off at first, and what is held back while it is on.

    `lost`: spans of faults for which there was no room.
    """

    def __init__(self, held_bytes: int = HELD_BYTES) -> None:
        self.on = False
        self.lost = 0
        self._held = bytearray()
        self._held_bytes = held_bytes

    def withhold(self) -> None:
        """From now on, what `strip` returns tells no fault."""
        self.on = True

    def release(self) -> bytes:
        """From now on, requests pass unchanged. Returns the spans of faults that were held back, as one request."""
        held, self._held, self.on = bytes(self._held), bytearray(), False
        return held

    def strip(self, request: bytes) -> bytes:
        """The request as it may be passed on now; b"": nothing of it may."""
        if not self.on or not _tells(request):
            return request
        decoded = ExportTraceServiceRequest()
        try:
            decoded.ParseFromString(request)
        except DecodeError:
            return b""  # what cannot be read cannot be judged
        self._strip_request(decoded)
        stripped = bytes(decoded.SerializeToString())
        return b"" if _FAULT in stripped else stripped  # in fields that this version does not know

    def _strip_request(self, request: ExportTraceServiceRequest) -> None:
        emptied = []
        for at, resource_spans in enumerate(request.resource_spans):
            if self._strip_scopes(resource_spans):
                emptied.append(at)
            _strip_attributes(resource_spans.resource.attributes)
        _delete(request.resource_spans, emptied)

    def _strip_scopes(self, resource_spans: ResourceSpans) -> bool:
        """Whether nothing but spans of faults was in it."""
        emptied = []
        for at, scope_spans in enumerate(resource_spans.scope_spans):
            faults = [place for place, span in enumerate(scope_spans.spans) if _FAULT_NAME in span.name]
            if faults:
                self._hold(resource_spans, scope_spans, [scope_spans.spans[place] for place in faults])
                _delete(scope_spans.spans, faults)
                if not scope_spans.spans:
                    emptied.append(at)
            for span in scope_spans.spans:
                _strip_span(span)
            _strip_attributes(scope_spans.scope.attributes)
        _delete(resource_spans.scope_spans, emptied)
        return bool(emptied) and not resource_spans.scope_spans

    def _hold(self, resource_spans: ResourceSpans, scope_spans: ScopeSpans, faults: list[Span]) -> None:
        """Hold spans back, as a request. The bytes of two requests, one after the other, are one request with both."""
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add(schema_url=resource_spans.schema_url)
        if resource_spans.HasField("resource"):
            resource.resource.CopyFrom(resource_spans.resource)
        scope = resource.scope_spans.add(schema_url=scope_spans.schema_url, spans=faults)
        if scope_spans.HasField("scope"):
            scope.scope.CopyFrom(scope_spans.scope)
        encoded = request.SerializeToString()
        if len(self._held) + len(encoded) > self._held_bytes:
            self.lost += len(faults)
        else:
            self._held += encoded


def _tells(encoded: bytes) -> bool:
    """Whether a message holds one of the names: texts are contiguous in it. Takes little of the time of decoding it."""
    return any(name in encoded for name in _TELLING)


def _strip_span(span: Span) -> None:
    if not _tells(span.SerializeToString()):
        return
    if span.name.startswith(_AGENT):
        span.name = names.SPAN_INVOKE_AGENT
    _delete(span.events, [at for at, event in enumerate(span.events) if _FAULT_NAME in event.name])
    listed = [span.attributes, *(one.attributes for one in (*span.events, *span.links))]
    for attributes in listed:
        _strip_keys(attributes)
    if _FAULT not in span.SerializeToString():
        return
    for attributes in listed:
        _strip_attributes(attributes)
    if _FAULT_NAME in span.status.message:
        span.status.message = ""


def _strip_keys(attributes: _Attributes) -> None:
    """Remove the attributes whose key tells."""
    _delete(attributes, [at for at, one in enumerate(attributes) if one.key in _OF_PROFILE or _FAULT_NAME in one.key])


def _strip_attributes(attributes: _Attributes) -> None:
    """The same, and those with a telling text in their value: ten times slower."""
    _strip_keys(attributes)
    _delete(attributes, [at for at, one in enumerate(attributes) if _FAULT in one.SerializeToString()])


def _delete(entries: MutableSequence[Any], places: Sequence[int]) -> None:
    """By place, not by `remove`: a message with a NaN in it equals no message."""
    for at in reversed(places):
        del entries[at]
