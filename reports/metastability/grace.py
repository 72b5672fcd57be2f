"""The grace period: how long a stack may take until it is well again after a trigger is gone.

The longest client timeout (whoever waits has given up by then) + the time to drain the backlog at spare capacity:
(calls open when the trigger goes - calls open on average in the baseline) / (most calls that ended ok in any 5 s up to
then, a second - calls offered in the baseline, a second). A stack that was never loaded to its limits has shown less
than it can do, so the second part is bounded by a client timeout as well: by then each call of the backlog has been
served or given up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.record.reader import Record

__all__ = ["Grace", "grace_of", "longest_client_timeout_s", "trigger_gone_s"]

SDK_TIMEOUT_S = 600.0
"""The timeout of the vendors' SDKs, where the record names none."""


@dataclass(frozen=True, slots=True)
class Grace:
    """`drain_s` is `client_timeout_s` at most, and so much where there is a backlog and no spare capacity was seen."""

    client_timeout_s: float
    backlog_calls: float
    spare_calls_per_s: float
    drain_s: float

    @property
    def total_s(self) -> float:
        return self.client_timeout_s + self.drain_s


def grace_of(timeout_s: float, open_now: float, open_usually: float, most_per_s: float, offered_per_s: float) -> Grace:
    """Put together from its parts: calls, and calls a second."""
    backlog = max(0.0, open_now - open_usually)
    spare = max(0.0, most_per_s - offered_per_s)
    drain_s = 0.0 if backlog == 0 else backlog / spare if spare > 0 else math.inf
    return Grace(timeout_s, backlog, spare, min(drain_s, timeout_s))


def longest_client_timeout_s(record: Record) -> float:
    """Of the profile's client, and of the clients that a fault makes impatient."""
    profile = record.experiment.get("profile")
    client = profile.get("client") if isinstance(profile, dict) else None
    given = client.get("timeout_s") if isinstance(client, dict) else None
    found = [float(given) if isinstance(given, (int, float)) else SDK_TIMEOUT_S]
    for fault in record.faults:
        timeout = fault.params.get("timeout_s", fault.params.get("timeout"))
        if fault.injected_s is not None and "load" in fault.targets and isinstance(timeout, (int, float)):
            found.append(float(timeout))
    return max(found)


def trigger_gone_s(record: Record) -> float | None:
    """When the last fault's revert was verified (reverted, where that is not known); None: of none, or of one not."""
    injected = [fault for fault in record.faults if fault.injected_s is not None]
    gone = [fault.stages.get("verified", fault.reverted_s) for fault in injected]
    known = [at for at in gone if at is not None]
    return max(known) if known and len(known) == len(gone) else None
