"""The charts of waits and of shed calls."""

from __future__ import annotations

from pathlib import Path

from reports.analysis import analyse
from reports.writers.html.pressure import shed, waits
from tests.support.record_builder import good_run
from tests.support.tiers import two_tiers


def test_waits_and_shed_calls_are_drawn_by_second(tmp_path: Path) -> None:
    data = analyse(two_tiers(tmp_path / "run").write(), write=False).data
    chart = waits(data)
    assert chart is not None
    assert [series[21] for series in chart.series.values()] == [0.3995, 0.3]
    shed_chart = shed(data)
    assert shed_chart is not None
    assert shed_chart.legend[0][1] == "batch (4)"
    assert shed_chart.series["c0"][20:26] == [0, 1, 1, 1, 1, 0]


def test_a_run_without_waits_has_no_chart_of_them(tmp_path: Path) -> None:
    data = analyse(good_run(tmp_path / "run").write(), write=False).data
    assert waits(data) is None
    assert shed(data) is None
