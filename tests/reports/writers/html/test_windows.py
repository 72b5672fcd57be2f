"""The fault windows on the page."""

from __future__ import annotations

from typing import Any

from reports.writers.html.windows import windows_view

MEASURE = {"name": "failover.max", "unit": "s", "value": 2.93, "why_not": "", "note": ""}
WINDOW: dict[str, Any] = {
    "number": 1,
    "faults": [{"id": "h1", "kind": "kill", "targets": ["tpu-0", "tpu-1"]}],
    "phases": [
        {"name": "baseline", "start_s": 10.0, "end_s": 40.0},
        {"name": "fault", "start_s": 40.0, "end_s": 51.04},
    ],
    "no_baseline": "",
    "abandoned": 0,
    "measures": [
        MEASURE,
        {**MEASURE, "value": None, "why_not": "no call met a fault"},
        {**MEASURE, "note": "at most"},
    ],
    "folder": "windows/1",
}


def test_a_report_of_an_experiment_has_no_windows() -> None:
    assert windows_view({}) is None
    assert windows_view({"windows": []}) == []


def test_a_window_has_its_faults_times_measures_and_link() -> None:
    (view,) = windows_view({"windows": [WINDOW]}) or []
    assert view["faults"] == ["kill of tpu-0, tpu-1 (h1)"]
    assert view["when"] == "from 40.0 s to 51.0 s"
    assert view["link"] == "windows/1/report.html"
    assert [text for _, text in view["rows"]] == ["2.93 s", "not measured: no call met a fault", "2.93 s (at most)"]
