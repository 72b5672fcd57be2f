"""The parts of summary.md about tenants and cost; the page shows the same parts."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.html.page_writer import page_text
from reports.writers.markdown.summary import summary_text
from tests.support.tiers import two_tiers


def test_page_and_summary_show_tenants_and_cost(tmp_path: Path) -> None:
    report = analyse(two_tiers(tmp_path / "run").write(), write=False)
    page, text = page_text(report.data), summary_text(report)
    assert "could not be made" not in page
    assert "<h2>Tenants and tiers</h2>" in page
    assert "## Tenants and tiers" in text
    assert "| hooli batch | 0, –, 0, – | 4, 0%, 4, never | 0, –, 0, – |" in text
    assert "## Cost" in text
