"""history.json, history.md and history.html: written together, in text that is safe to show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.trend.history import history
from reports.writers.history import write_history
from tests.support.trend_runs import report_of, write_run
from tests.support.trend_runs import write_history as write_runs


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A history with a change, a skipped report, and a title that is markup."""
    folder = tmp_path_factory.mktemp("runs")
    write_runs(folder, 24, lambda number: {"ttft.p95": 2.0 if number >= 16 else 1.0}, title="<script>alert(1)</script>")
    write_run(folder / "old", {"schema": 1})
    write_run(folder / "other", report_of({"calls": 3.0}, name="a|b <b>x</b>"))
    return history([folder])


def test_three_files_are_written(data: dict[str, Any], tmp_path: Path) -> None:
    written = write_history(data, tmp_path, last=5)
    assert [path.name for path in written] == ["history.json", "history.md", "history.html"]
    assert json.loads((tmp_path / "history.json").read_text()) == data


def test_the_page_loads_nothing_and_escapes_what_it_shows(data: dict[str, Any], tmp_path: Path) -> None:
    page = write_history(data, tmp_path, last=5)[2].read_text()
    own = page.replace(page[page.index("<script>") : page.rindex("</script>")], "")
    assert "<script>alert(1)" not in page
    assert "At a worse level than before: ttft.p95 and ttft.p95 during fault." in page
    assert "1 report was skipped" in own
    assert 'src="' not in own
    assert own.count("/report.html") >= 24
    assert "<b>x</b>" not in own


def test_the_markdown_has_the_change_and_keeps_its_tables_whole(data: dict[str, Any], tmp_path: Path) -> None:
    text = write_history(data, tmp_path, last=5)[1].read_text()
    assert "| **worse** | `ttft.p95` |" in text
    assert "| measure | newest | last 5 runs |" in text
    assert "## a\\|b \\<b>x\\</b> on well" in text
    for table in text.split("\n\n"):
        rows = [line.replace("\\|", "").count("|") for line in table.splitlines() if line.startswith("|")]
        assert len(set(rows)) <= 1


def test_the_page_is_written_without_bokeh(
    data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("reports.writers.html.history.bokeh_library", missing)
    page = write_history(data, tmp_path, last=5)[2].read_text()
    assert "<script" not in page
    assert "The charts could not be drawn" in page
