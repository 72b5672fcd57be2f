"""Charts as data for the script of the page."""

from __future__ import annotations

import json
import math

from reports.report.build import Report
from reports.writers.html.canvas import draw, series_of, spec
from reports.writers.html.charts import CHARTS


def test_charts_are_ready_for_json(report: Report) -> None:
    placed = draw(report.data, CHARTS)
    shown = spec(report.data, placed)

    assert not [one.problem for one in placed if one.problem]
    text = json.dumps(shown, allow_nan=False)
    assert {chart["id"] for chart in json.loads(text)["charts"]} >= {"phases", "calls", "ttft", "failures", "health"}
    for chart in shown["charts"]:
        used = {layer["series"] for layer in chart["layers"]} | {name for _, name in chart["tooltip"]}
        assert used <= set(chart["series"])
        assert {len(series) for series in chart["series"].values()} <= {shown["seconds"]}


def test_values_that_are_no_finite_number_are_gaps() -> None:
    assert series_of([1, None, math.nan, math.inf, "never", 0.25], 100.0) == [100.0, None, None, None, None, 25.0]
