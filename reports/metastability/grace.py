"""The grace period: the time that a stack may take to recover after the trigger is gone.

The longest client timeout (by then each waiting client has timed out) + the time to drain the backlog:
(calls open when the trigger is gone - calls open on average in the baseline) / (most calls that ended ok in any 5 s
until then, per second - calls offered in the baseline, per second). A stack that was never at its limit has shown less
than its capacity, so the second part is at most a client timeout too: by then each call of the backlog was served or
given up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.record.reader import Record

__all__ = ["Grace", "grace_period", "longest_client_timeout_s", "trigger_gone_s"]

SDK_TIMEOUT_S = 600.0
"""Timeout of the vendors' SDKs, seconds; used where the record has no client timeout."""


@dataclass(frozen=True, slots=True)
class Grace:
    """The grace period and its parts. `drain_s` is at most `client_timeout_s`; equal without any spare capacity."""

    client_timeout_s: float
    backlog_calls: float
    spare_calls_per_s: float
    drain_s: float

    @property
    def total_s(self) -> float:
        return self.client_timeout_s + self.drain_s


def grace_period(
    timeout_s: float, open_now: float, open_in_baseline: float, most_per_s: float, offered_per_s: float
) -> Grace:
    """The grace period from numbers of calls and rates of calls per second."""
    backlog = max(0.0, open_now - open_in_baseline)
    spare = max(0.0, most_per_s - offered_per_s)
    drain_s = 0.0 if backlog == 0 else backlog / spare if spare > 0 else math.inf
    return Grace(timeout_s, backlog, spare, min(drain_s, timeout_s))


def longest_client_timeout_s(record: Record) -> float:
    """The longest timeout of the profile's client and of the faults that change the clients' timeout, seconds."""
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
    """When the last fault's revert was verified (else: reverted), seconds. None: no fault, or one is active."""
    injected = [fault for fault in record.faults if fault.injected_s is not None]
    gone = [fault.stages.get("verified", fault.reverted_s) for fault in injected]
    known = [at for at in gone if at is not None]
    return max(known) if known and len(known) == len(gone) else None
