"""The charts of phases and of replica health."""

from __future__ import annotations

from typing import Any

from reports.report.build import Report
from reports.writers.html.bands import bands_of, health, phases
from reports.writers.html.canvas import draw, spec
from reports.writers.html.charts import CHARTS


def test_the_fault_is_shaded_from_injection_to_revert(report: Report) -> None:
    shown = spec(report.data, draw(report.data, CHARTS))

    assert shown["faults"] == [(20.0, 30.0)]
    chart = phases(report.data)
    assert chart is not None
    assert [band.what for band in chart.bands] == ["warmup", "baseline", "fault", "recovery", "drain", "kill tpu"]


def test_an_ejected_replica_is_out_of_rotation_until_readmission() -> None:
    changes = [
        {"at_s": 5.0, "replica": "a", "transition": "ejected", "why": "3 failures"},
        {"at_s": 8.0, "replica": "a", "transition": "readmitted", "why": "probe"},
        {"at_s": 9.0, "replica": "b", "transition": "breaker_open", "why": "half failed"},
        {"at_s": 9.0, "replica": "unknown", "transition": "ejected", "why": ""},
    ]
    fault = {"id": "f1", "kind": "kill", "targets": ["a"], "stages": {"injected": 4.0}}
    bands = {(band.what, band.left, band.right) for band in bands_of(["a", "b"], changes, [fault], 20.0)}

    assert bands == {
        ("a: in rotation", 0.0, 5.0),
        ("a: in rotation", 8.0, 20.0),
        ("a: ejected", 5.0, 8.0),
        ("a: kill (f1)", 4.0, 20.0),
        ("b: in rotation", 0.0, 9.0),
        ("b: breaker open", 9.0, 20.0),
    }


def test_of_a_large_fleet_only_affected_replicas_are_shown(report: Report) -> None:
    fleet = [{**report.data["run"]["replicas"][0], "name": f"r-{number}"} for number in range(200)]
    data = {**report.data, "run": {**report.data["run"], "replicas": fleet}}
    chart = health(data)

    assert chart is not None
    assert set(chart.rows.values()) == {"tpu-0"}
    assert "200 more replicas" in chart.note


def test_alerts_have_a_row_below_the_faults_and_none_without_a_receiver(report: Report) -> None:
    plain = phases(report.data)
    assert plain is not None
    assert -0.5 not in plain.rows
    seen: dict[str, Any] = {
        "starts_s": None,
        "labels": {},
        "counts": True,
        "status": "firing",
        "resolved_s": None,
        "name": "Down",
    }
    changes = [{**seen, "at_s": 24.0, "resolved_s": 28.0}, {**seen, "at_s": 30.0, "name": "", "counts": False}]
    changes.append({**seen, "at_s": 28.0, "status": "resolved"})
    report.data["alerts"] = {"changes": changes}
    chart = phases(report.data)
    assert chart is not None
    assert chart.rows[-0.5] == "alert"
    down, unnamed = [band for band in chart.bands if band.top < 0]
    assert (down.what, down.left, down.right) == ("Down", 24.0, 28.0)
    assert (unnamed.what, unnamed.left, unnamed.right) == ("alert", 30.0, report.data["timeline"]["seconds"])
    assert unnamed.why == "an alert without a name, received at 30 s; it does not match"
