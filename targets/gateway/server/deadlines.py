"""Deadlines of upstream attempts: one sweep over all streams, in place of one timer per token.

An expired deadline interrupts its attempt by cancelling the task; `expired` names the deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from targets.gateway.config import Ejection
from targets.gateway.routing.decisions import RoutedAttempt

__all__ = ["AttemptDeadlines", "DeadlineSweeper"]

SWEEP_S = 0.05
_GAPS_EVERY = 10  # sweeps between two reports of token gaps
_OWN_FREEZE_S = 0.25  # a sweep later than that: this process itself was suspended


class AttemptDeadlines:
    """The deadlines of one attempt, on the loop's clock."""

    __slots__ = (
        "attempt",
        "deadline",
        "expired",
        "last_token_at",
        "min_gap_s",
        "phase",
        "task",
        "total",
        "waiting",
        "writing_to_client",
    )

    def __init__(self, task: asyncio.Task[object], attempt: RoutedAttempt, deadline: float, total: float) -> None:
        self.task = task
        self.attempt = attempt
        self.last_token_at = -inf
        self.min_gap_s = inf  # shortest time between two tokens since the last report
        self.deadline = deadline  # of the current phase
        self.total = total  # of the call
        self.phase = "first token"
        self.waiting = True  # for the first token
        self.writing_to_client = False  # the client may be slow
        self.expired = ""

    def expire(self, what: str) -> None:
        """Interrupts the attempt; `what` names the deadline."""
        if not self.expired:
            self.expired = what
            self.task.cancel()

    def caused_cancellation(self) -> bool:
        """In `except CancelledError`: whether these deadlines, and nothing else, cancelled the task."""
        return bool(self.expired) and self.task.uncancel() == 0


class DeadlineSweeper:
    """Checks all deadlines every 50 ms. It first calls `advance(now)`, which returns whether waiting requests may move
    to another replica.

    Where slowness is judged, it calls `record_gap(replica, seconds)` with the shortest gap between tokens of each
    stream: every half second and at the stream's end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ejection: Ejection | None,
        advance: Callable[[float], bool],
        record_gap: Callable[[str, float], None],
    ) -> None:
        self._loop = loop
        self._silence_s, self._records_gaps = inf, False
        self.use_ejection(ejection)
        self._advance = advance
        self._record_gap = record_gap
        self._sweeps = 0
        self._active: set[AttemptDeadlines] = set()
        self._handle: asyncio.TimerHandle | None = None
        self._last = 0.0

    def use_ejection(self, ejection: Ejection | None) -> None:
        """Evacuate and record gaps as this policy needs it, from now on."""
        self._silence_s = ejection.silence_s if ejection is not None and ejection.evacuate else inf
        self._records_gaps = ejection is not None and ejection.slow_factor is not None

    def __len__(self) -> int:
        return len(self._active)

    def start(self) -> None:
        self._last = self._loop.time()
        self._handle = self._loop.call_later(SWEEP_S, self._sweep)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def add(self, deadlines: AttemptDeadlines) -> None:
        self._active.add(deadlines)

    def remove(self, deadlines: AttemptDeadlines) -> None:
        self._active.discard(deadlines)
        if self._records_gaps:
            self._report_gap(deadlines)

    def _report_gap(self, deadlines: AttemptDeadlines) -> None:
        if deadlines.min_gap_s < inf:
            self._record_gap(deadlines.attempt.replica.name, deadlines.min_gap_s)
            deadlines.min_gap_s = inf

    def _sweep(self) -> None:
        now = self._loop.time()
        frozen_s = now - self._last - SWEEP_S
        self._last = now
        self._handle = self._loop.call_later(SWEEP_S, self._sweep)
        if frozen_s > _OWN_FREEZE_S:  # this process was suspended: the silence is not the replicas' fault
            for deadlines in self._active:
                deadlines.deadline += frozen_s
                deadlines.attempt.replica.last_byte_at = now
            return
        self._sweeps += 1
        if self._records_gaps and self._sweeps % _GAPS_EVERY == 0:
            for deadlines in self._active:
                self._report_gap(deadlines)
        may_move = self._advance(now)
        for deadlines in tuple(self._active):
            replica = deadlines.attempt.replica
            if now >= deadlines.deadline:
                deadlines.expire(deadlines.phase)
            elif now >= deadlines.total:
                deadlines.expire("total")
            elif may_move and deadlines.waiting and replica.shut_out and not replica.draining:
                silent_since = max(replica.last_byte_at, deadlines.attempt.started_at)
                if now - silent_since >= self._silence_s:
                    deadlines.expire("evacuated")
