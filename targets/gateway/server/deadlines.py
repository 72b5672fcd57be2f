"""Deadlines of attempts: one sweep for all streams, instead of a timer a token.

A `Watch` interrupts its attempt by cancelling the task, and says why in `fired`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from targets.gateway.config import Ejection
from targets.gateway.routing.decisions import Attempt

__all__ = ["Sweeper", "Watch"]

SWEEP_S = 0.05
_LOOK_EVERY = 10  # sweeps, at how far streams are
_OWN_FREEZE_S = 0.25


class Watch:
    """The deadline of one attempt, on the loop's clock."""

    __slots__ = ("attempt", "deadline", "fired", "gap", "heard", "phase", "task", "total", "waiting", "writing")

    def __init__(self, task: asyncio.Task[object], attempt: Attempt, deadline: float, total: float) -> None:
        self.task = task
        self.attempt = attempt
        self.heard = -inf  # the last token
        self.gap = inf  # the least between two tokens since the last look
        self.deadline = deadline  # of the phase
        self.total = total  # of the call
        self.phase = "first token"
        self.waiting = True  # for the first token
        self.writing = False  # to the client, which may be slow
        self.fired = ""

    def fire(self, what: str) -> None:
        """Interrupts the attempt."""
        if not self.fired:
            self.fired = what
            self.task.cancel()

    def was_it(self) -> bool:
        """In `except CancelledError`: whether this watch did it, and nobody else."""
        return bool(self.fired) and self.task.uncancel() == 0


class Sweeper:
    """Looks at all watches every 50 ms. `tick(now)` is called before, and says whether anybody is left to move to.

    Every half second, and at their ends, `paced(replica, least gap between tokens)` is told, where slowness is judged.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ejection: Ejection | None,
        tick: Callable[[float], bool],
        paced: Callable[[str, float], None],
    ) -> None:
        self._loop = loop
        self._silence_s = ejection.silence_s if ejection is not None and ejection.evacuate else inf
        self._tick = tick
        self._paced = paced
        self._looks = ejection is not None and ejection.slow_factor is not None
        self._sweeps = 0
        self._watches: set[Watch] = set()
        self._handle: asyncio.TimerHandle | None = None
        self._last = 0.0

    def __len__(self) -> int:
        return len(self._watches)

    def start(self) -> None:
        self._last = self._loop.time()
        self._handle = self._loop.call_later(SWEEP_S, self._sweep)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def add(self, watch: Watch) -> None:
        self._watches.add(watch)

    def remove(self, watch: Watch) -> None:
        self._watches.discard(watch)
        if self._looks:
            self._look(watch)

    def _look(self, watch: Watch) -> None:
        if watch.gap < inf:
            self._paced(watch.attempt.replica.name, watch.gap)
            watch.gap = inf

    def _sweep(self) -> None:
        now = self._loop.time()
        frozen_s = now - self._last - SWEEP_S
        self._last = now
        self._handle = self._loop.call_later(SWEEP_S, self._sweep)
        if frozen_s > _OWN_FREEZE_S:  # this process stood still: the replicas are not to blame for the silence
            for watch in self._watches:
                watch.deadline += frozen_s
                watch.attempt.replica.last_heard = now
            return
        self._sweeps += 1
        if self._looks and self._sweeps % _LOOK_EVERY == 0:
            for watch in self._watches:
                self._look(watch)
        elsewhere = self._tick(now)
        for watch in tuple(self._watches):
            if now >= watch.deadline:
                watch.fire(watch.phase)
            elif now >= watch.total:
                watch.fire("total")
            elif elsewhere and watch.waiting and watch.attempt.replica.shut_out and not watch.attempt.replica.draining:
                heard = max(watch.attempt.replica.last_heard, watch.attempt.started_at)
                if now - heard >= self._silence_s:
                    watch.fire("evacuated")
