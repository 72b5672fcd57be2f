"""comparison.html."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.writers.html.comparison import comparison_html


def test_the_page_escapes_text_from_files_and_links_to_the_runs(compared: dict[str, Any], tmp_path: Path) -> None:
    page = comparison_html(compared, tmp_path / "out")
    assert "<b>|naive" not in page
    assert "&lt;b&gt;|naive" in page
    assert 'href="../b/report.html"' in page
    assert page.count("<polyline") == 2
    assert "<rect" in page
    assert "http://" not in page
    assert "https://" not in page
