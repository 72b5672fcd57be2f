"""The gateway's queue: first attempts that find no place wait here, within bounds. Pure.

Better tiers first; within a tier the oldest first, but the newest while the queue is overloaded (`policies.codel`):
then the oldest would time out anyway. Those who were promised a place go before all and are not dropped; so do those
who waited while there was no place at all, because that wait says nothing about how many there are.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from targets.gateway.config import Queue
from targets.gateway.policies.overload.codel import Codel

__all__ = ["Waiting", "WaitingLine"]

_PREFILL_WEIGHT = 0.1
_PROMISED = -1


@dataclass(slots=True, eq=False)
class Waiting:
    """One that waits; the caller's own subclass. `priority`: of its tier, 0 is the best; `since` is set by `offer`."""

    priority: int
    since: float = field(default=0.0, init=False)
    gone: bool = field(default=False, init=False)


W = TypeVar("W", bound=Waiting)


class WaitingLine(Generic[W]):
    """Times in seconds on the caller's clock."""

    def __init__(self, config: Queue) -> None:
        self._config = config
        self._codel = Codel(config.interval_s)
        self._lines: dict[int, deque[W]] = {}
        self._length = 0
        self._prefill_s = 0.0

    def __len__(self) -> int:
        return self._length

    @property
    def fullness(self) -> float:
        """The share of its length that is used."""
        return self._length / self._config.max_length

    @property
    def overloaded(self) -> bool:
        """It has been standing for an interval."""
        return self._codel.overloaded

    @property
    def target_s(self) -> float:
        """The delay that is not overload."""
        return max(self._config.target_s, self._config.prefill_factor * self._prefill_s)

    def offer(self, now: float, waiting: W, prefill_s: float, *, promised: bool = False) -> W | None:
        """One more; returns who has to go for it, perhaps itself. `prefill_s`: its predicted prefill."""
        self._prefill_s += _PREFILL_WEIGHT * (prefill_s - self._prefill_s) if self._prefill_s else prefill_s
        waiting.since = now
        self._lines.setdefault(_PROMISED if promised else waiting.priority, deque()).append(waiting)
        self._length += 1
        self._observe(now)
        if self._length <= self._config.max_length:
            return None
        victim = next(line for _, line in sorted(self._lines.items(), reverse=True) if self._skim(line))[-1]
        self.remove(victim)
        return victim

    def take(self, now: float) -> W | None:
        """Who goes next; it is no longer in the queue."""
        self._observe(now)
        for _, line in sorted(self._lines.items()):
            if self._skim(line):
                waiting = line.pop() if self._codel.overloaded else line.popleft()
                self.remove(waiting)
                return waiting
        return None

    def remove(self, waiting: W) -> None:
        """It left by itself, or its turn has come."""
        if not waiting.gone:
            waiting.gone = True
            self._length -= 1

    def drop(self, now: float, *, served: bool = True) -> list[tuple[W, str]]:
        """Who has waited too long, and why that is too long; they are no longer in the queue.

        Not `served`: there is no place at all.
        """
        if not served:
            self._spare()
        self._observe(now)
        slough_s = self._codel.drops_after_s(self.target_s)
        dropped: list[tuple[W, str]] = []
        for priority, line in self._lines.items():
            limit_s = self._config.longest_s if priority == _PROMISED or slough_s is None else slough_s
            limit_s = min(limit_s, self._config.longest_s)
            for waiting in self._older(line, now - limit_s):
                self.remove(waiting)
                dropped.append((waiting, f"waited {now - waiting.since:.2f} s in the queue, more than {limit_s:.2f} s"))
        return dropped

    def _observe(self, now: float) -> None:
        oldest = min(
            (line[0].since for at, line in self._lines.items() if at != _PROMISED and self._skim(line)), default=now
        )
        self._codel.observe(now, now - oldest, self.target_s)

    def _spare(self) -> None:
        spared = self._lines.setdefault(_PROMISED, deque())
        for priority, line in sorted(self._lines.items()):
            if priority != _PROMISED:
                spared.extend(waiting for waiting in line if not waiting.gone)
                line.clear()

    def _older(self, line: deque[W], since: float) -> list[W]:
        """Those who have waited since before `since`. The spared stand by tier, so not only at the front."""
        if not self._skim(line) or (line[0].since >= since and line is not self._lines.get(_PROMISED)):
            return []
        return [waiting for waiting in line if not waiting.gone and waiting.since < since]

    def _skim(self, line: deque[W]) -> bool:
        """Takes those off the ends that have left; whether anybody is in it."""
        while line and line[0].gone:
            line.popleft()
        while line and line[-1].gone:
            line.pop()
        return bool(line)
