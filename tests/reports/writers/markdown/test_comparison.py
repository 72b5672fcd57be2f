"""comparison.md."""

from __future__ import annotations

from typing import Any

from reports.writers.markdown.comparison import comparison_markdown


def test_markdown_marks_the_gate_on_which_the_runs_differ(compared: dict[str, Any]) -> None:
    lines = comparison_markdown(compared).splitlines()
    assert lines[0] == "# Losing a pool costs no session"
    assert "|  | well | \\<b>\\|naive |" in lines
    assert "| sessions_lost == 0 (headline gate) | **pass** 0 | **fail** 3 |" in lines
    assert "| calls >= 1 | pass 67 | pass 67 |" in lines
    assert "| failover.max <= 5 s | pass 900 ms | pass 900 ms |" in lines
    assert "| `sessions_lost` | sessions lost | 0 | 3 |" in lines
