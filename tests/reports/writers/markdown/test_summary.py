"""summary.md: its golden file, its size limit, its escaping."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.markdown.summary import summary_text, write_summary
from tests.support.record_builder import RecordBuilder

GOLDEN = Path(__file__).parents[1] / "golden" / "summary.md"


def test_the_summary_equals_its_golden_file(run: RecordBuilder, tmp_path: Path) -> None:
    written = write_summary(analyse(run.write(), write=False), tmp_path)
    assert written.name == "summary.md"
    assert written.read_text() == GOLDEN.read_text()


def test_the_summary_of_a_huge_run_stays_under_githubs_limit(run: RecordBuilder, tmp_path: Path) -> None:
    run.event("run", 50.0, event="failed", why="x" * 2_000_000)
    assert write_summary(analyse(run.write(), write=False), tmp_path).stat().st_size < 1_024_000


def test_text_from_files_does_not_break_the_table(run: RecordBuilder) -> None:
    run.experiment["title"] = "a|b <script>"
    text = summary_text(analyse(run.write(), write=False))
    assert "a\\|b \\<script>" in text
