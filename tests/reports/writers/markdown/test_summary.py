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


def test_the_summary_says_that_one_pair_cannot_tell_a_difference(run: RecordBuilder) -> None:
    report = analyse(run.write(), write=False)
    row = {"measure": "sessions_lost", "unit": "count", "phase": None, "here": 9, "there": 0, "difference": 9}
    rows = [{**row, "interval": None, "beyond_sessions": True, "differs": False}]
    report.data["twin"] = {"problem": "", "note": "one pair cannot tell", "doubts": [], "differences": rows}
    text = summary_text(report)
    assert "- one pair cannot tell\n\n| measure | phase | run | twin | difference (95 %) |" in text
    assert "| `sessions_lost` | run | 9 | 0 | +9 |" in text
    report.data["twin"] |= {"note": "", "differences": [{**rows[0], "differs": False}]}
    assert "No measure differs by more than chance." in summary_text(report)


def test_the_alerts_of_the_run_are_listed(run: RecordBuilder) -> None:
    assert "Alerts" not in summary_text(analyse(run.write(), write=False))
    run.command()
    run.event("alert_port", -3.0, event="opened", port=9099)
    run.alert(24.0, "Down|Up")
    text = summary_text(analyse(run.write(), write=False))
    assert "## Alerts of your monitoring\n\n- Down\\|Up (severity=page), received at 24 s\n" in text
    assert "| `time_to_alert` | injection to the first alert of your monitoring | 4 s |" in text


def test_the_summary_names_the_gateway_and_its_version(run: RecordBuilder) -> None:
    run.event("gateway", -3.0, name="nginx", preset="tuned", program="nginx", version="1.24.0", tested="1.22.1")
    text = summary_text(analyse(run.write(), write=False))
    assert "\nGateway: nginx, version 1.24.0 (brownout was tested with 1.22.1)\n" in text
