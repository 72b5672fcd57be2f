"""The alerts of a run as lines of text."""

from __future__ import annotations

from typing import Any

from reports.explanation.alert_words import alert_lines, alert_text

FIRED = {
    "name": "Down",
    "status": "firing",
    "at_s": 24.04,
    "starts_s": 20.5,
    "resolved_s": 31.0,
    "labels": {"alertname": "Down", "pool": "tpu"},
    "counts": True,
}


def section(*changes: dict[str, Any], left_out: int = 0, refused: int = 0) -> dict[str, Any]:
    return {"alerts": {"port": 9099, "changes": list(changes), "left_out": left_out, "refused": refused}}


def test_an_alert_says_its_name_labels_and_times() -> None:
    assert alert_text(FIRED) == "Down (pool=tpu), received at 24 s, firing since 20.5 s, resolved at 31 s"
    quick = {**FIRED, "starts_s": 24.0, "resolved_s": None, "labels": {}, "counts": False}
    assert alert_text(quick) == "Down, received at 24 s; it does not match"


def test_a_run_says_each_alert_that_fired_and_what_else_came() -> None:
    resolved = {**FIRED, "status": "resolved"}
    assert alert_lines({"alerts": None}) == alert_lines({}) == []
    assert alert_lines(section()) == ["none was received on port 9099"]
    assert alert_lines(section(FIRED, resolved)) == [alert_text(FIRED)]
    lines = alert_lines(section(*[FIRED] * 12, left_out=3, refused=2))
    assert len(lines) == 12
    assert lines[10:] == [
        "5 more: see report.json and events.jsonl",
        "2 requests were refused, because they were no alerts",
    ]
