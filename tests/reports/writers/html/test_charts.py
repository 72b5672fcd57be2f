"""The timeline charts."""

from __future__ import annotations

import pytest

from reports.report.build import Report
from reports.writers.html.canvas import draw
from reports.writers.html.charts import CHARTS, log_ticks


def test_failures_are_counted_by_place_and_outcome(report: Report) -> None:
    chart = next(one.chart for one in draw(report.data, CHARTS) if one.id == "failures")

    assert chart is not None
    assert {name for _, name in chart.legend} == {
        "client: error_event (1)",
        "upstream tpu: reset (1)",
        "upstream tpu: truncated (1)",
    }


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.02, 2.7, [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]), (0.3, 0.9, [0.5]), (0.001, 90, [0.001, 0.01, 0.1, 1, 10])],
)
def test_ticks_of_a_logarithmic_axis_are_few_and_round(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks
