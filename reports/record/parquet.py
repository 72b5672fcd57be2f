"""Writes `spans.parquet`: the record's spans as one table for SQL, one row per span.

duckdb cannot read OTLP, and inserting rows one by one is 200 times slower than reading newline-delimited JSON, so the
rows are first written to a temporary file next to the target. Bytes (the client's chunk log) are written in base64.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from reports.record.spans import Span
from reports.shared import attributes as names

__all__ = ["COLUMNS", "SpanRows"]

COLUMNS: Final = {
    "trace_id": "VARCHAR",
    "span_id": "VARCHAR",
    "parent_id": "VARCHAR",
    "name": "VARCHAR",
    "service": "VARCHAR",
    "instance": "VARCHAR",
    "start_ns": "BIGINT",
    "end_ns": "BIGINT",
    "duration_s": "DOUBLE",
    "error": "BOOLEAN",
    "session": "VARCHAR",
    "agent": "VARCHAR",
    "turn": "INTEGER",
    "pool": "VARCHAR",
    "replica": "VARCHAR",
    "outcome": "VARCHAR",
    "attributes": "JSON",
    "events": "JSON",
}
"""The table's columns and their SQL types. `attributes` and `events` have everything, the others common values."""


def _plain(value: Any) -> Any:
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


class SpanRows:
    """Writes rows to `target`. Use as a context manager: `add` spans, then `write`. Raises OSError."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lines = target.with_name(f".{target.name}.ndjson")
        self._file = self._lines.open("wb")
        self._encoder = msgspec.json.Encoder(enc_hook=_plain)
        self._buffer = bytearray()

    def __enter__(self) -> SpanRows:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._lines.unlink(missing_ok=True)

    def add(self, span: Span) -> None:
        """Add one row."""
        self.add_all((span,))

    def add_all(self, spans: Iterable[Span]) -> None:
        """Add a row per span."""
        for span in spans:
            attributes = span.attributes
            row = {
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent_id": span.parent_id.hex() or None,
                "name": span.name,
                "service": span.service,
                "instance": span.instance,
                "start_ns": span.start_ns,
                "end_ns": span.end_ns,
                "duration_s": (span.end_ns - span.start_ns) / 1e9,
                "error": span.error,
                "session": attributes.get(names.CONVERSATION_ID),
                "agent": attributes.get(names.AGENT_ID),
                "turn": attributes.get(names.TURN),
                "pool": attributes.get(names.POOL) or attributes.get(names.PEER_NAME),
                "replica": attributes.get(names.REPLICA),
                "outcome": attributes.get(names.OUTCOME),
                "attributes": attributes,
                "events": [{"name": e.name, "at_ns": e.at_ns, "attributes": e.attributes} for e in span.events],
            }
            self._buffer += self._encoder.encode(row)
            self._buffer += b"\n"
            if len(self._buffer) > 1 << 20:
                self._flush()

    def write(self) -> Path:
        """Convert the rows to Parquet, atomically. Returns the path. Raises duckdb.Error, OSError."""
        import duckdb  # here, because it takes 0.14 s

        self._flush()
        self._file.close()
        partial = self._target.with_name(f".{self._target.name}.part")
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
        try:
            with duckdb.connect(
                config={"threads": "2", "memory_limit": "256MB", "preserve_insertion_order": "false"}
            ) as connection:
                connection.execute(
                    f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}},"
                    f" maximum_object_size = 8388608)) TO '{_quoted(partial)}'"
                    " (FORMAT parquet, COMPRESSION zstd)",
                    [str(self._lines)],
                )
            partial.replace(self._target)
        finally:
            partial.unlink(missing_ok=True)
        return self._target

    def _flush(self) -> None:
        self._file.write(self._buffer)
        self._buffer.clear()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
