"""Both files are written beside report.json, whatever is in them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from reports.gates.verdict import RunVerdict
from reports.report.build import Report
from reports.writers.postmortem.files import write_html, write_markdown


def test_both_files_are_there_after_the_analysis(exercise_folder: Path) -> None:
    assert (exercise_folder / "postmortem.md").read_text().startswith("# Post-mortem: Two pools, one evening\n")
    assert "<h1>Two pools, one evening</h1>" in (exercise_folder / "postmortem.html").read_text()
    assert not list((exercise_folder / "windows").glob("*/postmortem.*"))


def test_half_a_character_does_not_prevent_the_files(exercise_report: dict[str, Any], tmp_path: Path) -> None:
    data = copy.deepcopy(exercise_report)
    data["exercise"]["title"] = "half \ud800"
    report = Report(tmp_path, data, RunVerdict("played", 0, ("",)))
    for write in (write_markdown, write_html):
        assert "half" in write(report, tmp_path).read_text()
