"""The log of requests that begin: one line each, written before the engine gets the request.

A process that is killed takes the spans of its open requests with it. Their lines are in the file already: each is one
`write` with O_APPEND, which the kernel keeps when the process dies. Fields of a line: `docs/wire.md`, "Requests".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
from opentelemetry.trace import Span

from targets.replica.api.conversation import PlannedAnswer

__all__ = ["RequestLog"]

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
"""W3C Trace Context, section 3.2. Whatever else a gateway sends is left out."""
_MODEL_CHARS: Final = 100
"""Of the name of a model, which may be as long as a request."""


class RequestLog:
    """Appends to the file at `path`; "" writes nothing. A line that cannot be written is left out: no request fails."""

    def __init__(self, path: str) -> None:
        self._descriptor = -1
        if path:
            with suppress(OSError):
                self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def begin(
        self, at_ns: int, headers: Mapping[str, str], span: Span | None, answer: PlannedAnswer, model: str = ""
    ) -> None:
        """A request begins: `at_ns` is its arrival, unix nanoseconds; `span` its own span, None without one.

        `model`: the one that it asks for, "" for none.
        """
        if self._descriptor < 0:
            return
        line: dict[str, Any] = {"at": at_ns, "prompt_tokens": answer.prompt_tokens, "offset": answer.offset}
        if span is not None:
            line["span"] = f"{span.get_span_context().span_id:016x}"
        if (parent := _TRACEPARENT.fullmatch(headers.get("traceparent", ""))) is not None:
            line["trace"], line["parent"] = parent[1], parent[2]
        if answer.marker is not None:
            line |= {"session": answer.marker.session, "agent": answer.marker.agent, "turn": answer.marker.turn}
        if model:
            line["model"] = model[:_MODEL_CHARS]
        data = msgspec.json.encode(line) + b"\n"
        with suppress(OSError):
            written = os.write(self._descriptor, data)
            if written < len(data):  # a full disk: half a line would spoil the next one
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
