"""time_to_alert: injection of a fault to the first alert of the user's monitoring that began to fire after it.

An alert counts if it has the labels of `alerts: {match: ...}`, and if it was received and fires since after the
injection, and since before the next one: what fired before says nothing about the fault, and what fires after the next
is about that. With several faults, the slowest counts; a fault that is injected while an alert still fires that an
earlier fault set off has its alert already, and is left out.
"""

from __future__ import annotations

import math
from dataclasses import replace

from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured
from reports.record.alerts import Alert, Alerts

__all__ = ["NO_RECEIVER", "time_to_alert"]

NO_RECEIVER = "no alerts were received: the experiment has no alerts:, or its port was not open"


def time_to_alert(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; infinite where no alert came before the end of the run, or none that began before the next fault."""
    alerts = evidence.record.alerts
    injected = sorted(impact.fault.injected_s for impact in evidence.impacts if impact.fault.injected_s is not None)
    if not alerts.received:
        return not_measured(NO_RECEIVER)
    if not injected:
        return not_measured("no fault was injected")
    times: list[float] = []
    told: list[Alert] = []
    for at_s in injected:
        if any(_fires(alerts, alert, at_s) for alert in told):
            continue
        next_s = min((other_s for other_s in injected if other_s > at_s), default=math.inf)
        after = [alert for alert in alerts.fired if at_s <= alert.since_s() < next_s]
        told += after
        times.append(min((alert.at_s - at_s for alert in after), default=math.inf))
    before = sum(alert.since_s() < injected[0] and _fires(alerts, alert, injected[0]) for alert in alerts.fired)
    found = fact(max(times), len(times))
    if not before:
        return found
    many = "1 alert that fired before does" if before == 1 else f"{before} alerts that fired before do"
    return replace(found, note=f"{many} not count")


def _fires(alerts: Alerts, alert: Alert, at_s: float) -> bool:
    """Whether an alert fires at this time."""
    resolved_s = alerts.resolved_s(alert)
    return alert.since_s() <= at_s and (resolved_s is None or resolved_s > at_s)
