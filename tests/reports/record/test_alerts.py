"""The alerts of a record, and what is made of incomplete ones."""

from __future__ import annotations

from typing import Any

from reports.record.alerts import Alerts, alerts_of


def change(at: int, status: str = "firing", name: str = "a", **more: Any) -> dict[str, Any]:
    return {"at": at, "type": "alert", "name": name, "status": status, "labels": {"x": name}, **more}


def test_changes_have_times_since_the_start_of_the_load() -> None:
    opened = {"at": 0, "type": "alert_port", "event": "opened", "port": 9099}
    closed = {"at": 9, "type": "alert_port", "event": "closed", "left_out": 2, "refused": 3}
    events = [opened, change(3_000_000_000, starts_at=2_000_000_000, fingerprint="f"), closed]
    alerts = alerts_of(events, {"alerts": {"port": 9099, "match": {"x": "a"}}}, 1_000_000_000)
    (one,) = alerts.changes
    assert (one.at_s, one.starts_s, one.since_s(), one.firing) == (2.0, 1.0, 1.0, True)
    assert (alerts.received, alerts.port, alerts.left_out, alerts.refused) == (True, 9099, 2, 3)
    assert alerts.fired == [one]


def test_an_alert_is_resolved_by_the_next_change_of_its_fingerprint() -> None:
    events = [
        change(1, fingerprint="f"),
        change(2, "resolved", fingerprint="g"),
        change(3, "resolved", fingerprint="f"),
        change(4, fingerprint="f"),
    ]
    alerts = alerts_of(events, {}, 0)
    first, again = alerts.fired
    assert alerts.resolved_s(first) == 3e-9
    assert alerts.resolved_s(again) is None


def test_a_record_without_a_receiver_has_no_alerts() -> None:
    assert alerts_of([], {}, 0) == Alerts()
    assert alerts_of([], {"alerts": 5}, 0) == Alerts()
    assert alerts_of([], {"alerts": {"match": 5}}, 0) == Alerts()
