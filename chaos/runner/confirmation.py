"""Confirmation by shedding: is a run that is still down after its trigger is gone down by itself?

At the end of the recovery the live counters are looked at. Where good calls / calls sent of the last 5 s are below 70 %
of the baseline's, new sessions are blocked and broken calls not tried again (`shedding`) for one grace period and until
the replicas have nothing to do; then all are let back for another grace period (`readmission`). If service then is
above those 70 %, both states are stable at that load: the run was down because it had been down (Bronson et al., HotOS
'21). The verdict is the analysis's (`reports.metastability`); bounded: `MAX_SHEDDING_S` and `MAX_GRACE_S`.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import EventLog
from reports.shared.thresholds import DOWN_BELOW, WINDOW_S

__all__ = ["MAX_GRACE_S", "MAX_SHEDDING_S", "LiveShare", "confirm", "grace_s", "is_down"]

SLACK_S: Final = 5.0
MAX_GRACE_S: Final = 20.0
MAX_SHEDDING_S: Final = 30.0
LOOK_EVERY_S: Final = 0.25


def grace_s(client_timeout_s: float) -> float:
    """One grace period: the client's timeout, and a little for the backlog to drain; at most `MAX_GRACE_S`."""
    return min(client_timeout_s + SLACK_S, MAX_GRACE_S)


def is_down(share: float | None, baseline: float | None) -> bool:
    """Whether the service is down; not where either share is unknown, or the baseline itself had nothing good."""
    return share is not None and bool(baseline) and share < DOWN_BELOW * (baseline or 0.0)


async def confirm(
    watch: LiveShare,
    baseline: tuple[float, float],
    grace_s: float,
    *,
    load: LoadControl,
    events: EventLog,
    phase: Callable[[str, float], None],
    or_end: Callable[[Awaitable[None]], Awaitable[None]],
) -> None:
    """Look, and where the run is down shed and let back. `baseline`: when it was, by the clock of `watch`."""
    before, now = watch.share(*baseline), watch.recent()
    down = is_down(now, before)
    events.write("confirmation", stage="down" if down else "well", share=now, baseline=before, grace_s=grace_s)
    if not down:
        return
    phase("shedding", grace_s)
    load.command = "hold"
    try:
        await or_end(asyncio.sleep(grace_s))
        left_s = MAX_SHEDDING_S - grace_s
        while left_s > 0 and not watch.idle:
            await or_end(asyncio.sleep(LOOK_EVERY_S))
            left_s -= LOOK_EVERY_S
    finally:
        load.command = "run"
    phase("readmission", grace_s)
    events.write("confirmation", stage="readmitted", share=watch.recent(), baseline=before, grace_s=grace_s)
    await or_end(asyncio.sleep(grace_s))
    now = watch.recent()
    stage = "not_recovered" if now is None or is_down(now, before) else "recovered"
    events.write("confirmation", stage=stage, share=now, baseline=before, grace_s=grace_s)


class LiveShare:
    """Remembers the cumulative counters of the load generator, by time, and which replicas are busy. `clock`: monotonic
    seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: list[float] = []
        self._good: list[int] = []
        self._busy: dict[str, bool] = {}
        self._sent: list[int] = []

    def observe(self, data: Mapping[str, Any]) -> None:
        """The counters as they are now."""
        if "good_calls" not in data or "calls" not in data:
            return
        self._at.append(self._clock())
        self._good.append(int(data["good_calls"]))
        self._sent.append(int(data["calls"]["sent"]))

    def replica(self, name: str, data: Mapping[str, Any]) -> None:
        """A replica's counters as they are now."""
        self._busy[name] = bool(data.get("running") or data.get("waiting"))

    @property
    def idle(self) -> bool:
        """Whether no replica that was heard of runs a request or has one waiting."""
        return not any(self._busy.values())

    def share(self, since_s: float, until_s: float) -> float | None:
        """Good calls / calls sent between two moments, by the last counters at or before each."""
        first, last = self._index(since_s), self._index(until_s)
        if first is None or last is None:
            return None
        sent = self._sent[last] - self._sent[first]
        return (self._good[last] - self._good[first]) / sent if sent else None

    def recent(self) -> float | None:
        """The share of the last `WINDOW_S`."""
        now = self._clock()
        return self.share(now - WINDOW_S, now)

    def _index(self, at_s: float) -> int | None:
        found = bisect_right(self._at, at_s) - 1
        return found if found >= 0 else None
