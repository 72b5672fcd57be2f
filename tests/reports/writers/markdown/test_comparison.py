"""comparison.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.comparison.side_by_side import compare
from reports.writers.markdown.comparison import comparison_markdown


def test_markdown_marks_the_gate_on_which_the_runs_differ(compared: dict[str, Any]) -> None:
    lines = comparison_markdown(compared).splitlines()
    assert lines[0] == "# Losing a pool costs no session"
    assert "|  | well | \\<b>\\|naive |" in lines
    assert "| sessions_lost == 0 (headline gate) | **pass** 0 | **fail** 3 |" in lines
    assert "| calls >= 1 | pass 67 | pass 67 |" in lines
    assert "| failover.max <= 5 s | pass 900 ms | pass 900 ms |" in lines
    assert "| `sessions_lost` | sessions lost | 0 | 3 |" in lines


def test_one_pair_shows_its_differences_with_a_note(compared: dict[str, Any]) -> None:
    text = comparison_markdown(compared)
    assert "## \\<b>\\|naive compared with well\n\n1 pair of runs.\n\n- one pair cannot tell a difference" in text
    assert "| `sessions_lost` | run | 3 | 0 | +3 |" in text


def test_several_pairs_show_what_differs(compared: dict[str, Any]) -> None:
    rows = [
        {**row, "differs": row["measure"] == "sessions_lost" and row["phase"] is None}
        for row in compared["differences"][0]["rows"]
    ]
    contrast = {**compared["differences"][0], "note": "", "doubt": "busy", "pairs": 6, "rows": rows}
    text = comparison_markdown({**compared, "differences": [contrast]})
    assert "6 pairs of runs.\n\n- busy\n\n| measure | phase |" in text
    assert text.count("| `sessions_lost` | run | 3 | 0 | +3 |") == 1
    assert "| `calls` | run |" not in text
    none = {**contrast, "rows": []}
    assert "- no measure differs by more than chance" in comparison_markdown({**compared, "differences": [none]})


def test_runs_that_are_not_comparable_have_nothing_in_bold(compared: dict[str, Any], tmp_path: Path) -> None:
    reports = [(tmp_path / name, _report(compared, at)) for at, name in enumerate("ab")]
    reports[1][1]["run"]["short_form"] = True
    text = comparison_markdown(compare(reports))
    assert "- measures are not compared: 1 of 2 runs are short forms" in text.splitlines()[2]
    assert "| sessions_lost == 0 (headline gate) | pass 0 | fail 3 |" in text
    assert "compared with" not in text.split("short forms", 1)[1]


def _report(compared: dict[str, Any], at: int) -> dict[str, Any]:
    return json.loads((Path(compared["runs"][at]["path"]) / "report.json").read_text())  # type: ignore[no-any-return]
