"""report.json: the whole report, for programs. Its fields: `docs/report-schema.md`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports.report.build import Report, plain
from reports.shared.whole_file import write_whole

__all__ = ["write_json"]


def write_json(report: Report, folder: Path) -> Path:
    """Write `report.json` into `folder`, atomically. Raises OSError."""
    encoded = msgspec.json.encode(plain(report.data))
    return write_whole(folder / "report.json", msgspec.json.format(encoded, indent=1) + b"\n")
