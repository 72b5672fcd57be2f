"""false_alerts: alerts of the user's monitoring that began to fire in the baseline, where there is no fault."""

from __future__ import annotations

import math

from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, bounded, fact, not_measured
from reports.measures.time_to_alert import NO_RECEIVER
from reports.shared.wording import SEE_WINDOWS

__all__ = ["false_alerts"]


def false_alerts(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A count, by when each began to fire: it may be received later, in the fault. A lower bound where some are lost.

    What fired before the baseline is of another time, and does not count.
    """
    alerts, baseline = evidence.record.alerts, evidence.record.phase("baseline")
    if not alerts.received:
        return not_measured(NO_RECEIVER)
    if evidence.record.repeats("baseline"):
        return not_measured(SEE_WINDOWS)
    if baseline is None:
        return not_measured("the record has no baseline")
    found = fact(sum(baseline.start_s <= alert.since_s() < baseline.end_s for alert in alerts.fired))
    if not alerts.left_out:
        return found
    return bounded(found, f"at least: {alerts.left_out:,} changes of alerts were not written", high=math.inf)
