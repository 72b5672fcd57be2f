"""Reads `requests/NAME.jsonl`: the line that a replica wrote as each request began (`docs/wire.md`, "Requests").

A process that was killed took the spans of its open requests with it; their lines are what is left of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reports.record.lines import Damage, read_lines

__all__ = ["RequestLine", "read_requests"]


class _Request(msgspec.Struct):
    at: int
    prompt_tokens: int = 0
    offset: int = 0
    span: str = ""
    trace: str = ""
    parent: str = ""
    session: str | None = None
    agent: str | None = None
    turn: int | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request that began at a replica. `at_ns`: its arrival, unix nanoseconds. Ids are empty where there is none.

    `span_id`: of its own span. `trace_id`, `parent_id`: of the `traceparent` that it came with. `session`, `agent` and
    `turn`: its conversation's marker; None without one. `offset`: tokens of the answer that the client already had.
    `model`: the one that it asked for, "" for none.
    """

    replica: str
    at_ns: int
    span_id: bytes
    trace_id: bytes
    parent_id: bytes
    session: str | None
    agent: str | None
    turn: int | None
    prompt_tokens: int
    offset: int
    model: str = ""


def read_requests(folder: Path, damage: list[Damage]) -> Iterator[RequestLine]:
    """The lines of every replica, by replica. Without the folder there are none. Appends to `damage` what is wrong."""
    for path in sorted(folder.glob("*.jsonl")):
        for row in read_lines(path, _Request, damage):
            line = msgspec.convert(row, _Request)
            yield RequestLine(
                path.stem,
                line.at,
                _id(line.span),
                _id(line.trace),
                _id(line.parent),
                line.session,
                line.agent,
                line.turn,
                line.prompt_tokens,
                line.offset,
                line.model,
            )


def _id(text: str) -> bytes:
    """An id from hexadecimal; empty where a gateway sent something else."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
