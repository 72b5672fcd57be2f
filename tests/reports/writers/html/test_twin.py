"""The part of the page about the twin."""

from __future__ import annotations

from typing import Any

from reports.report.build import Report
from reports.writers.html.page_writer import page_text
from reports.writers.html.twin import twin_view

LOST = {
    "measure": "sessions_lost",
    "title": "sessions lost",
    "unit": "count",
    "phase": None,
    "here": 9,
    "there": 0,
    "difference": 9,
    "interval": None,
    "beyond_sessions": True,
    "p": None,
    "differs": False,
}
TWIN: dict[str, Any] = {
    "path": "../x-twin",
    "problem": "",
    "note": "one pair cannot tell <a> difference from chance",
    "spread": None,
    "doubts": [],
    "sessions": {"both": 60, "here": 0, "there": 0},
    "calls": {},
    "differences": [LOST],
}


def part_of(report: Report, twin: dict[str, Any]) -> str:
    return page_text({**report.data, "twin": twin}).split('<section id="twin">')[1].split("</section>")[0]


def test_a_run_without_a_twin_has_no_such_part() -> None:
    assert twin_view({"twin": None}) is None


def test_one_pair_without_a_spread_shows_the_note_and_nothing_in_bold(report: Report) -> None:
    part = part_of(report, TWIN)
    assert "one pair cannot tell &lt;a&gt; difference from chance" in part
    assert '<code class="under">sessions_lost</code>' in part
    assert 'class="strong"' not in part
    assert "Bold" not in part


def test_with_a_spread_what_differs_is_bold(report: Report) -> None:
    spread = {"pairs": 8, "machine": "2 cores, 8 GB", "commit": "abc"}
    part = part_of(
        report, {**TWIN, "note": "", "spread": spread, "differences": [{**LOST, "p": 0.001, "differs": True}]}
    )
    assert part.count('class="strong"') == 1
    assert "Bold: also beyond the spread of 8 A/A pairs." in part


def test_a_twin_that_cannot_be_read_is_said(report: Report) -> None:
    assert "the twin cannot be read: gone" in part_of(report, {**TWIN, "problem": "the twin cannot be read: gone"})
