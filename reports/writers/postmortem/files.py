"""Writes postmortem.md and postmortem.html beside report.json."""

from __future__ import annotations

from pathlib import Path

from reports.report.build import Report
from reports.shared.whole_file import write_whole
from reports.writers.postmortem.markdown import postmortem_markdown
from reports.writers.postmortem.page import postmortem_page

__all__ = ["write_html", "write_markdown"]


def write_markdown(report: Report, folder: Path) -> Path:
    """Write `postmortem.md` into `folder`, atomically. Raises OSError."""
    return write_whole(folder / "postmortem.md", postmortem_markdown(report.data).encode(errors="replace"))


def write_html(report: Report, folder: Path) -> Path:
    """Write `postmortem.html` into `folder`, atomically. Raises OSError."""
    return write_whole(folder / "postmortem.html", postmortem_page(report.data).encode(errors="replace"))
