"""The load generator's counters, posted every 250 ms (`docs/wire.md`).

Counts are cumulative unless stated otherwise. One process plays one load at a time; `snapshot()` returns its counters.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Protocol

from loadprofiles.client.records import CallRecord
from loadprofiles.player.load_config import Slo
from reports.shared.attributes import SessionOutcome
from reports.shared.thresholds import SERVED_WITHIN

__all__ = ["LATE_S", "Counters", "register", "snapshot"]

LATE_S = 0.1
"""A session that starts more than this many seconds after its time counts as late."""
_RECENT_CALLS = 50


class _Load(Protocol):
    def arrivals_due(self) -> int: ...
    def demand(self) -> dict[str, dict[str, int]]: ...
    @property
    def done(self) -> bool: ...


class Counters:
    """Counts of one load. `calls_sent` counts logical calls when sent; the other call counts change when they end."""

    def __init__(self, slo: Slo) -> None:
        self.load_started_ns: int | None = None
        self.arrivals = 0
        self.late_arrivals = 0
        self.held = 0
        self.running = 0
        self.sessions = dict.fromkeys(SessionOutcome, 0)
        self.calls_sent = 0
        self.calls_ok = 0
        self.calls_failed = 0
        self.good_calls = 0
        self.served_calls = 0
        self.output_tokens = 0
        self._slo = slo
        self._ttft_ms: deque[float] = deque(maxlen=_RECENT_CALLS)

    def session_started(self, lateness_s: float) -> None:
        """Counts a session that started `lateness_s` after its planned time."""
        self.arrivals += 1
        self.late_arrivals += lateness_s > LATE_S
        self.running += 1

    def session_ended(self, outcome: SessionOutcome) -> None:
        """Counts a session that has ended."""
        self.running -= 1
        self.sessions[outcome] += 1

    def call_ended(self, record: CallRecord) -> None:
        """Counts a logical call that has ended."""
        self.output_tokens += record.output_tokens
        self.served_calls += self._served(record)
        if not record.ok:
            self.calls_failed += 1
            return
        self.calls_ok += 1
        ttft_s, tpot_s, slo = record.ttft_s, record.tpot_s, self._slo
        if ttft_s is not None:
            self._ttft_ms.append(ttft_s * 1000)
        in_time = slo.ttft_s is None or (ttft_s is not None and ttft_s <= slo.ttft_s)
        self.good_calls += in_time and (slo.tpot_s is None or tpot_s is None or tpot_s <= slo.tpot_s)

    def _served(self, record: CallRecord) -> bool:
        """Whether a call was served, however slowly: the rule of `reports.gates.carrying`."""
        if self._slo.ttft_s is None:
            return record.ok
        within_s = SERVED_WITHIN * self._slo.ttft_s
        if record.ttft_s is not None and record.ttft_s <= within_s:
            return True
        return record.ok and record.e2e_s <= within_s + record.output_tokens * (self._slo.tpot_s or 0.0)

    def snapshot(self, load: _Load | None) -> dict[str, object]:
        """The counters as posted."""
        return {
            "load_started": self.load_started_ns,
            "arrivals_planned": load.arrivals_due() if load is not None else 0,
            "arrivals": self.arrivals,
            "late_arrivals": self.late_arrivals,
            "held": self.held,
            "sessions": {"running": self.running, **{outcome.value: n for outcome, n in self.sessions.items()}},
            "calls": {"sent": self.calls_sent, "ok": self.calls_ok, "failed": self.calls_failed},
            "good_calls": self.good_calls,
            "served_calls": self.served_calls,
            "output_tokens": self.output_tokens,
            "ttft_ms_recent": median(self._ttft_ms) if self._ttft_ms else None,
            "done": load.done if load is not None else False,
            **(load.demand() if load is not None else {}),
        }


_current: tuple[Counters, _Load | None] = (Counters(Slo()), None)


def register(counters: Counters, load: _Load | None) -> None:
    """Makes these the counters that `snapshot()` returns."""
    global _current
    _current = (counters, load)


def snapshot() -> dict[str, object]:
    """The process's current counters; all zero before a load is registered."""
    counters, load = _current
    return counters.snapshot(load)
