"""Whether the gateway in front of our replicas carries the load, from the counters during the run.

It ends a run at the end of its baseline that would otherwise break a stack which serves next to nothing. The analysis
judges the whole record, more closely (`reports.gates.carrying`). This check errs on the side of going on: a request
that is at a replica now counts as served.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.shared.thresholds import CARRIED_SHARE, JUDGED_CALLS, SERVED_WITHIN

__all__ = ["CarryWatch"]


@dataclass(slots=True)
class CarryWatch:
    """`ttft_s`: the objective. `clock`: monotonic seconds."""

    ttft_s: float
    clock: Callable[[], float] = time.monotonic
    _at: list[float] = field(default_factory=list)
    _sent: list[int] = field(default_factory=list)
    _served: list[int] = field(default_factory=list)
    _at_replicas: dict[str, int] = field(default_factory=dict)

    def load(self, data: Mapping[str, Any]) -> None:
        """Record the load generator's current counters."""
        if "calls" in data and "served_calls" in data:
            self._at.append(self.clock())
            self._sent.append(int(data["calls"]["sent"]))
            self._served.append(int(data["served_calls"]))

    def replica(self, name: str, data: Mapping[str, Any]) -> None:
        """Record a replica's current counters."""
        self._at_replicas[name] = int(data.get("running") or 0) + int(data.get("waiting") or 0)

    def not_carried(self, begin_s: float, end_s: float) -> str:
        """Why the load of the baseline is not carried; "" if it is, or if that is unknown. Times are on `clock`."""
        first, last = self._index(begin_s), self._index(end_s)
        old_enough = self._index(end_s - SERVED_WITHIN * self.ttft_s)
        if first is None or last is None or old_enough is None or old_enough <= first:
            return ""
        sent = self._sent[old_enough] - self._sent[first]
        served = self._served[last] - self._served[first] + sum(self._at_replicas.values())
        if sent < JUDGED_CALLS or served >= CARRIED_SHARE * sent:
            return ""
        return f"the gateway does not carry the load: it served about {served} of {sent} calls in the baseline"

    def _index(self, at_s: float) -> int | None:
        found = bisect_right(self._at, at_s) - 1
        return found if found >= 0 else None
