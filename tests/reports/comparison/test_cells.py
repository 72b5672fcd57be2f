"""The values of a comparison as text."""

from __future__ import annotations

from typing import Any

from reports.comparison.cells import cell_text, pairs_text, shown_measures, told_in_contrast, told_in_twin


def test_a_relative_gate_shows_its_factor_and_others_their_value() -> None:
    cell = {"relative_to_baseline": True, "factor": 2.1, "value": 3.2, "unit": "s"}
    assert cell_text(cell) == "2.1x baseline"
    assert cell_text({**cell, "factor": None}) == "3.2 s"
    assert cell_text({**cell, "relative_to_baseline": False}) == "3.2 s"
    assert cell_text(None) == "-"


def test_measures_that_no_run_has_are_left_out() -> None:
    rows = [
        {"name": "calls", "title": "calls offered", "unit": "count", "run": [3, None]},
        {"name": "knee", "title": "knee", "unit": "sessions/s", "run": [None, None]},
    ]
    assert list(shown_measures({"measures": rows})) == [("calls", "calls offered", ["3", "-"])]


def row(
    measure: str, difference: float, *, phase: str | None = None, beyond: bool = False, differs: bool = False
) -> Any:
    return {
        "measure": measure,
        "phase": phase,
        "difference": difference,
        "beyond_sessions": beyond,
        "differs": differs,
    }


def test_of_a_twin_those_beyond_chance_are_shown_or_else_those_beyond_the_sessions() -> None:
    rows = [row("a", 1, beyond=True, differs=True), row("b", 1, beyond=True), row("c", 1)]
    assert [one["measure"] for one in told_in_twin({"note": "", "differences": rows})] == ["a"]
    assert [one["measure"] for one in told_in_twin({"note": "one pair", "differences": rows})] == ["a", "b"]


def test_of_two_sides_those_beyond_chance_are_shown_or_else_all_of_the_whole_run() -> None:
    rows = [row("a", 1, phase="fault", differs=True), row("b", 1), row("c", 0)]
    assert [one["measure"] for one in told_in_contrast({"note": "", "rows": rows})] == ["a"]
    assert [one["measure"] for one in told_in_contrast({"note": "one pair", "rows": rows})] == ["b"]


def test_the_number_of_pairs_and_the_spread_are_said() -> None:
    assert pairs_text({"pairs": 1, "spread": None}) == "1 pair of runs"
    assert pairs_text({"pairs": 5, "spread": None}) == "5 pairs of runs"
    assert pairs_text({"pairs": 1, "spread": {"pairs": 8}}) == "1 pair of runs, judged by the spread of 8 A/A pairs"
