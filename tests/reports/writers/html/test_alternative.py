"""Charts in words: the range of each series, in the run and during the fault."""

from __future__ import annotations

from reports.writers.html.alternative import chart_text
from reports.writers.html.canvas import Band, Chart


def test_each_series_has_its_range_and_that_of_the_fault() -> None:
    chart = Chart(100, "calls/s", {"good": [5.0, 6.0, 0.5, None]}, tooltip=[("good", "good")])

    assert chart_text("Calls", chart, [(2.0, 3.0)]) == "Calls (calls/s): good: 0.5 to 6, during the fault always 0.5."


def test_bands_are_listed_with_their_times() -> None:
    bands = [Band(0, 9, 0, 1, "#000", "a: in rotation"), Band(2, 3, 0, 1, "#000", "a: ejected")]

    assert chart_text("Health", Chart(100, "", bands=bands), []) == "Health: a: ejected, 2.0 to 3.0 s."
