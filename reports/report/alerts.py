"""The section `alerts` of the report: what the user's monitoring said during the run."""

from __future__ import annotations

from typing import Any, Final

from reports.record.reader import Record

__all__ = ["alerts_section"]

_LISTED: Final = 200
"""How many changes are listed."""


def alerts_section(record: Record) -> dict[str, Any] | None:
    """None where no receiver was open."""
    alerts = record.alerts
    if not alerts.received:
        return None
    return {
        "port": alerts.port,
        "match": dict(alerts.match),
        "fired": len(alerts.fired),
        "left_out": alerts.left_out + max(0, len(alerts.changes) - _LISTED),
        "refused": alerts.refused,
        "changes": [
            {
                "name": alert.name,
                "status": "firing" if alert.firing else "resolved",
                "at_s": alert.at_s,
                "starts_s": alert.starts_s,
                "resolved_s": alerts.resolved_s(alert) if alert.firing else None,
                "labels": dict(alert.labels),
                "counts": alerts.counts(alert),
            }
            for alert in alerts.changes[:_LISTED]
        ],
    }
