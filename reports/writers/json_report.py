"""report.json: the whole report, for programs. Its fields: `docs/report-schema.md`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports.report.build import Report, plain

__all__ = ["write_json"]


def write_json(report: Report, folder: Path) -> Path:
    """Write `report.json` into `folder`, atomically. Raises OSError."""
    path = folder / "report.json"
    partial = folder / ".report.json.part"
    encoded = msgspec.json.encode(plain(report.data))
    partial.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")
    partial.replace(path)
    return path
