"""The charts of history.html as data."""

from __future__ import annotations

from typing import Any

from reports.writers.html.history_charts import _range, history_charts
from reports.writers.html.palette import BAD, GOOD

RUN = {"verdict": "pass", "seed": 1, "severe_doubts": [], "machine_doubts": [], "fault_doubts": [], "doubts": []}


def series(values: list[float | str | None], changes: list[dict[str, Any]], **line: Any) -> dict[str, Any]:
    runs = [{**RUN, "started_at": f"2026-11-{day + 10}T04:30:00"} for day in range(len(values))]
    runs[-1]["verdict"] = "fail"
    one = {
        "name": "ttft.p95", "title": "time to first token", "unit": "s", "gate": "", "limit": None, "values": values,
        "counts": [True] * len(values), "changes": [change["run"] for change in changes], **line,
    }  # fmt: skip
    return {"runs": runs, "lines": [{**one, "name": "calls", "changes": []}, one], "changes": changes}


def change(run: int, before: float, after: float | str, direction: str = "worse") -> dict[str, Any]:
    return {
        "run": run, "before": before, "after": after, "direction": direction, "line": 1, "unit": "s", "p": 0.01,
        "runs_before": 2, "runs_after": 2, "started_at": "2026-11-12T04:30:00", "until": None,
    }  # fmt: skip


def test_charts_with_changes_come_first_with_levels_and_marks() -> None:
    first, second = history_charts(0, series([0.4, 0.4, 0.8, 0.8], [change(2, 0.4, 0.8)]))
    assert (first["name"], second["name"]) == ("ttft.p95", "calls")
    assert first["levels"] == [{"from": 0.5, "to": 2.5, "at": 400}, {"from": 2.5, "to": 4.5, "at": 800}]
    assert first["changes"] == [{"x": 2.5, "colour": BAD}]
    assert first["unit"] == "milliseconds"
    assert first["colours"] == [GOOD, GOOD, GOOD, BAD]
    assert "worse since 2026-11-12 04:30" in first["words"]
    assert second["levels"] == second["changes"] == []


def test_never_is_drawn_at_the_top_and_a_missing_value_not_at_all() -> None:
    chart = history_charts(0, series([1.5, None, "never"], []))[0]
    assert chart["y"] == [1.5, None, chart["range"][1]]
    assert chart["texts"] == ["1.5 s", "-", "never"]
    assert history_charts(0, series([None, "never"], []))[0]["words"] == "never; no change"


def test_a_share_is_drawn_in_percent_and_not_above_all() -> None:
    chart = history_charts(0, series([0.99, 1.0], [], unit="share"))[0]
    assert chart["y"] == [99, 100]
    assert chart["range"][1] == 101


def test_an_axis_of_zeros_goes_to_one() -> None:
    assert _range([0.0, 0.0]) == (0.0, 1.0)


def test_a_gate_is_drawn_where_it_is_near() -> None:
    assert history_charts(0, series([1.5, 1.6], [], limit=2.0))[0]["limit"] == 2.0
    assert history_charts(0, series([1.5, 1.6], [], limit=60.0))[0]["limit"] is None
