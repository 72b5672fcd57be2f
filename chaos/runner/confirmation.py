"""Confirmation by shedding: checks whether a failure that outlasts its trigger is self-sustaining (metastable).

At the end of the recovery, the stack is down if good calls / calls sent, over the last 5 s, are below 70 % of the
baseline's. Then new sessions are held and failed calls are not retried (phase `shedding`), for one grace period and
until the replicas are idle. After that, all sessions are admitted for another grace period (phase `readmission`). If
the service is above 70 % then, both states are stable at the same load: the failure was self-sustaining (Bronson et
al., HotOS '21). The analysis gives the verdict (`reports.metastability`). Limits: `MAX_SHEDDING_S`, `MAX_GRACE_S`.
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
POLL_EVERY_S: Final = 0.25


def grace_s(client_timeout_s: float) -> float:
    """One grace period in seconds: the client's timeout plus 5 s to drain the backlog; at most `MAX_GRACE_S`."""
    return min(client_timeout_s + SLACK_S, MAX_GRACE_S)


def is_down(share: float | None, baseline: float | None) -> bool:
    """Whether the service is down. False if a share is unknown, or if the baseline had no good calls."""
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
    """Check whether the service is down; if so, shed and readmit sessions. Each result is an event of the record.

    `baseline`: its begin and end on the clock of `watch`. `or_end` awaits something unless the run ends early.
    """
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
            await or_end(asyncio.sleep(POLL_EVERY_S))
            left_s -= POLL_EVERY_S
    finally:
        load.command = "run"
    phase("readmission", grace_s)
    events.write("confirmation", stage="readmitted", share=watch.recent(), baseline=before, grace_s=grace_s)
    await or_end(asyncio.sleep(grace_s))
    now = watch.recent()
    stage = "not_recovered" if now is None or is_down(now, before) else "recovered"
    events.write("confirmation", stage=stage, share=now, baseline=before, grace_s=grace_s)


class LiveShare:
    """The share of good calls over time, from the load generator's cumulative counters; which replicas are busy.

    `clock`: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: list[float] = []
        self._good: list[int] = []
        self._busy: dict[str, bool] = {}
        self._sent: list[int] = []

    def observe(self, data: Mapping[str, Any]) -> None:
        """Record the load generator's current counters."""
        if "good_calls" not in data or "calls" not in data:
            return
        self._at.append(self._clock())
        self._good.append(int(data["good_calls"]))
        self._sent.append(int(data["calls"]["sent"]))

    def replica(self, name: str, data: Mapping[str, Any]) -> None:
        """Record a replica's current counters."""
        self._busy[name] = bool(data.get("running") or data.get("waiting"))

    @property
    def idle(self) -> bool:
        """Whether no replica has running or waiting requests, as far as reported."""
        return not any(self._busy.values())

    def share(self, since_s: float, until_s: float) -> float | None:
        """Good calls / calls sent between two times, by the last counters at or before each. None: unknown."""
        first, last = self._index(since_s), self._index(until_s)
        if first is None or last is None:
            return None
        sent = self._sent[last] - self._sent[first]
        return (self._good[last] - self._good[first]) / sent if sent else None

    def recent(self) -> float | None:
        """The share over the last `WINDOW_S` seconds. None: unknown."""
        now = self._clock()
        return self.share(now - WINDOW_S, now)

    def _index(self, at_s: float) -> int | None:
        found = bisect_right(self._at, at_s) - 1
        return found if found >= 0 else None
