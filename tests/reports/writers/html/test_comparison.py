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


def test_the_page_shows_the_differences_of_one_pair_with_a_note_and_none_in_bold(
    compared: dict[str, Any], tmp_path: Path
) -> None:
    part = comparison_html(compared, tmp_path / "out").split('<section id="differences">')[1].split("</section>")[0]
    assert "<h3>&lt;b&gt;|naive compared with well</h3>" in part
    assert "one pair cannot tell a difference from chance" in part
    assert "<code>sessions_lost</code>" in part
    assert 'class="strong"' not in part


def test_the_page_marks_what_differs_over_several_pairs(compared: dict[str, Any], tmp_path: Path) -> None:
    rows = [{**row, "differs": row["measure"] == "sessions_lost"} for row in compared["differences"][0]["rows"]]
    contrast = {**compared["differences"][0], "note": "", "pairs": 6, "rows": rows}
    part = comparison_html({**compared, "differences": [contrast]}, tmp_path).split('id="differences"')[1]
    assert part.count('class="strong"') == sum(row["differs"] for row in rows)
    assert "6 pairs of runs" in part
    none = {**contrast, "rows": []}
    assert "no measure differs by more than chance" in comparison_html({**compared, "differences": [none]}, tmp_path)


def test_runs_that_are_not_comparable_have_no_part_about_differences(compared: dict[str, Any], tmp_path: Path) -> None:
    page = comparison_html({**compared, "differences": []}, tmp_path)
    assert 'id="differences"' not in page
