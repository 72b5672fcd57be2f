"""Confirmation by shedding: is a run that is still down after its trigger is gone down by itself?

At the end of the recovery the live counters are looked at. Where good calls / calls sent of the last 5 s are below 70 %
of the baseline's, new sessions are blocked for one grace period (`shedding`) and then let back for another
(`readmission`). If service is then within 10 points of the baseline, both states are stable at that load: the run was
down because it had been down (Bronson et al., HotOS '21). Bounded: twice `MAX_GRACE_S`.

    watch = LiveShare()                    fed with every post of the load generator
    watch.share(since, until)              good / sent between two moments, None where nothing was sent
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["DOWN", "MAX_GRACE_S", "RECOVERED_BAND", "WINDOW_S", "LiveShare", "grace_s", "is_down", "is_recovered"]

DOWN: Final = 0.70
"""Of the baseline's share of good calls; below it, a run is down."""

RECOVERED_BAND: Final = 0.10
"""As in `time_to_recover`."""

WINDOW_S: Final = 5.0
SLACK_S: Final = 5.0
MAX_GRACE_S: Final = 20.0


def grace_s(client_timeout_s: float) -> float:
    """One grace period: the client's timeout, and a little for the backlog to drain; at most `MAX_GRACE_S`."""
    return min(client_timeout_s + SLACK_S, MAX_GRACE_S)


def is_down(share: float | None, baseline: float | None) -> bool:
    """Whether the service is down; not where either share is unknown, or the baseline itself had nothing good."""
    return share is not None and bool(baseline) and share < DOWN * (baseline or 0.0)


def is_recovered(share: float | None, baseline: float | None) -> bool:
    """Whether the service is back."""
    return share is not None and baseline is not None and share >= baseline - RECOVERED_BAND


class LiveShare:
    """Remembers the cumulative counters of the load generator, by time."""

    def __init__(self) -> None:
        self._at: list[float] = []
        self._good: list[int] = []
        self._sent: list[int] = []

    def observe(self, at_s: float, data: Mapping[str, Any]) -> None:
        """The counters at a time (seconds, any zero, never going back)."""
        if "good_calls" not in data or "calls" not in data or (self._at and at_s < self._at[-1]):
            return
        self._at.append(at_s)
        self._good.append(int(data["good_calls"]))
        self._sent.append(int(data["calls"]["sent"]))

    def share(self, since_s: float, until_s: float) -> float | None:
        """Good calls / calls sent between two moments, by the last counters at or before each."""
        first, last = self._index(since_s), self._index(until_s)
        if first is None or last is None:
            return None
        sent = self._sent[last] - self._sent[first]
        return (self._good[last] - self._good[first]) / sent if sent else None

    def _index(self, at_s: float) -> int | None:
        found = bisect_right(self._at, at_s) - 1
        return found if found >= 0 else None
