"""The log of requests that begin: one line each, written before the engine gets the request.

A process that is killed takes the spans of its open requests with it. Their lines are in the file already: each is one
`write` with O_APPEND, which the kernel keeps when the process dies. Fields of a line: `docs/wire.md`, "Requests".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
from opentelemetry.trace import Span

from targets.replica.api.conversation import PlannedAnswer

__all__ = ["RequestLog"]

_TRACEPARENT_PARTS: Final = 4


class RequestLog:
    """Appends to the file at `path`; "" writes nothing. A line that cannot be written is left out: no request fails."""

    def __init__(self, path: str) -> None:
        self._descriptor = -1
        if path:
            with suppress(OSError):
                self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def begin(self, at_ns: int, headers: Mapping[str, str], span: Span | None, answer: PlannedAnswer) -> None:
        """A request begins: `at_ns` is its arrival, unix nanoseconds; `span` its own span, None without one."""
        if self._descriptor < 0:
            return
        line: dict[str, Any] = {"at": at_ns, "prompt_tokens": answer.prompt_tokens, "offset": answer.offset}
        if span is not None:
            line["span"] = f"{span.get_span_context().span_id:016x}"
        parent = headers.get("traceparent", "").split("-")
        if len(parent) >= _TRACEPARENT_PARTS:
            line["trace"], line["parent"] = parent[1], parent[2]
        if answer.marker is not None:
            line |= {"session": answer.marker.session, "agent": answer.marker.agent, "turn": answer.marker.turn}
        with suppress(OSError):
            os.write(self._descriptor, msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
