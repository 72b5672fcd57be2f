"""report.json is valid JSON whatever numbers the report holds."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.json_report import write_json
from tests.support.record_builder import RecordBuilder


def test_report_json_has_no_nan_and_no_infinity(run: RecordBuilder, tmp_path: Path) -> None:
    text = write_json(analyse(run.write(), write=False), tmp_path).read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
