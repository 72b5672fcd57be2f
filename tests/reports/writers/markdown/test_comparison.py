"""comparison.json, .md and .html: what people read of runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.comparison.side_by_side import compare, read_report
from reports.writers.json_report import write_json
from reports.writers.markdown.comparison import comparison_html, comparison_markdown, write_comparison
from tests.support.record_builder import good_run, migrated


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """A run that is well, and one of a stack with an evil name that lost three sessions."""
    for name, stack, lost in (("a", "well", 0), ("b", "<b>|naive", 3)):
        builder = good_run(tmp_path / name, sessions=30)
        builder.experiment.update(
            gates=["sessions_lost == 0", "calls >= 1", "failover.max <= 5 s"],
            tells="sessions_lost == 0",
            stack={"name": stack, "model": "m", "replicas": []},
        )
        builder.fault()
        builder.call("m", 0, 19.4, gaps={3: 0.9}, ups=migrated(20.01, resumed=20.84, sent=19.4, passed_on=3))
        builder.session("m", 19.4, 21.0)
        for index in range(lost):
            builder.session(f"x{index}", 7.0, 9.0, "lost")
        folder = builder.write()
        write_json(analyse(folder, write=False), folder)
    return compare([read_report(tmp_path / "a"), read_report(tmp_path / "b")])


def test_markdown_marks_the_gate_on_which_the_runs_differ(data: dict[str, Any]) -> None:
    lines = comparison_markdown(data).splitlines()
    assert lines[0] == "# Losing a pool costs no session"
    assert "|  | well | &lt;b>\\|naive |" in lines
    assert "| sessions_lost == 0 (tells) | **pass** 0 | **fail** 3 |" in lines
    assert "| calls >= 1 | pass 67 | pass 67 |" in lines
    assert "| failover.max &lt;= 5 s | pass 900 ms | pass 900 ms |" in lines
    assert "| `sessions_lost` | sessions lost | 0 | 3 |" in lines


def test_the_page_escapes_what_comes_from_files_and_links_to_the_runs(data: dict[str, Any], tmp_path: Path) -> None:
    page = comparison_html(data, tmp_path / "out")
    assert "<b>|naive" not in page
    assert "&lt;b&gt;|naive" in page
    assert 'href="../b/report.html"' in page
    assert page.count("<polyline") == 2
    assert "<rect" in page
    assert "http://" not in page
    assert "https://" not in page


def test_all_three_are_written_and_the_json_holds_every_measure(data: dict[str, Any], tmp_path: Path) -> None:
    written = write_comparison(data, tmp_path)
    assert [path.name for path in written] == ["comparison.json", "comparison.md", "comparison.html"]
    told = json.loads((tmp_path / "comparison.json").read_text())
    assert told["schema"] == 1
    assert {row["name"] for row in told["measures"]} >= {"sessions_lost", "wasted_tokens", "ttft.p99"}
