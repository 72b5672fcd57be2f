"""report.html: one file with everything in it; text from files is escaped; parts fail independently."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.report.build import Report
from reports.writers.html import page_writer
from reports.writers.html.page_writer import page_text, write_html, write_window_html
from reports.writers.json_report import write_json
from tests.support.lost_pool import lost_pool_run
from tests.support.record_builder import RecordBuilder, Up, good_run

EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


def report_of(builder: RecordBuilder) -> Report:
    """The report of a record."""
    return analyse(builder.write(), write=False)


def own_text(page: str) -> str:
    """The page without Bokeh's script."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_is_one_file_that_loads_nothing(report: Report, tmp_path: Path) -> None:
    path = write_html(report, tmp_path)

    assert path == tmp_path / "report.html"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    page = own_text(path.read_text(encoding="utf-8"))
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert "url(" not in page
    assert "http" not in page
    assert path.stat().st_size < 3_000_000


def test_the_page_shows_verdict_title_and_every_gate(report: Report) -> None:
    page = page_text(report.data)

    assert report.data["run"]["title"] in page
    assert "Failed</p>" in page
    for gate in report.data["gates"]:
        assert f"<code>{gate['text']}</code>" in page
        assert gate["why"] in page
    assert '<pre id="command">brownout run lose-tpu-pool --seed 7</pre>' in page


def test_the_page_shows_the_worst_failovers_span_by_span(report: Report) -> None:
    page = page_text(report.data)

    assert "<code>gone/main#0</code>" in page
    assert "ended ok: interrupted on tpu-0, after 5 tokens of 11, resumed on gpu-1 840 ms later" in page
    assert "killed before it exported its spans" in page
    assert page.index("gone/main#0") < page.index("saved/main#2")


def test_text_from_files_is_escaped(tmp_path: Path) -> None:
    builder = lost_pool_run(tmp_path / "run")
    builder.experiment |= {"name": EVIL, "title": EVIL, "description": EVIL, "command": EVIL}
    builder.experiment["stack"]["replicas"][0] |= {"name": EVIL, "pool": EVIL}
    builder.fault("f2", EVIL, [EVIL])
    builder.call(EVIL, 0, 21.0, outcome="error_event", ups=[Up(EVIL, 21.001, 21.5, EVIL)])
    builder.session(EVIL, 21.0, 21.6, "lost")
    page = page_text(report_of(builder).data)

    assert "<img" not in page
    assert "<script>alert" not in page
    assert "&lt;img src=x" in page
    data = re.search(r'<script type="application/json" id="charts-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert EVIL[:20] in json.loads(data[1])["charts"][0]["bands"][-1]["what"]


def test_a_part_that_crashes_does_not_lose_the_others(report: Report) -> None:
    whole = dict(report.data)
    for part in ("gates", "proofs", "measures", "failovers", "outcomes", "timeline", "health", "cost_by_pool"):
        page = page_text({**whole, part: None})
        assert "brownout run lose-tpu-pool" in page, part
        assert "could not be" in page, part


def test_without_bokeh_the_page_reports_missing_charts(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_writer, "find_spec", lambda name: None)
    page = page_text(report.data)

    assert "The charts could not be drawn." in page
    assert "bokeh is not installed" in page
    assert "gone/main#0" in page


def test_without_bokeh_a_window_has_a_page_too(report: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page_writer, "find_spec", lambda name: None)
    (tmp_path / "1").mkdir()
    page = write_window_html(report, tmp_path / "1").read_text(encoding="utf-8")
    assert "The charts could not be drawn." in page
    assert "gone/main#0" in page


def test_a_record_that_ends_after_its_start_still_makes_a_page(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.event("run", 0.0, event="started", why="")
    page = page_text(report_of(builder).data)

    assert "Inconclusive" in page
    assert "Not drawn, because this run has no data for it" in page
    assert "No call of this run was interrupted" in page


def test_the_page_of_a_run_without_a_fault_says_so(tmp_path: Path) -> None:
    page = page_text(report_of(good_run(tmp_path / "run", sessions=4)).data)

    assert "This run had no fault." in page
    assert "Around the fault" not in page


def test_the_page_can_be_made_from_report_json(report: Report, tmp_path: Path) -> None:
    data: dict[str, Any] = json.loads(write_json(report, tmp_path).read_text())
    page = page_text(data)

    assert "could not be made" not in page
    assert "never resumed" in page


def test_writing_the_page_imports_no_bokeh() -> None:
    code = "import sys, reports.writers.html.page_writer; print('bokeh' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.split() == ["False", "False"]
