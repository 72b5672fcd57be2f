"""The values of a comparison as text."""

from __future__ import annotations

from reports.comparison.cells import cell_text, shown_measures


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
