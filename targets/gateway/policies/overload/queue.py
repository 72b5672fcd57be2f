"""The gateway's queue: requests whose first attempt finds no place wait here, up to a maximum length. Pure.

Better tiers go first. Within a tier the oldest goes first; while the queue is overloaded (`codel`) the newest, because
the oldest would time out anyway. Requests with a promise go before all others and are not dropped. So do requests that
waited while no replica was available, because that wait is not a sign of overload.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from targets.gateway.config import Queue
from targets.gateway.policies.overload.codel import Codel

__all__ = ["QueueEntry", "RequestQueue"]

_PREFILL_WEIGHT = 0.1
_PROMISED = -1


@dataclass(slots=True, eq=False)
class QueueEntry:
    """A queued request; callers subclass it. `priority`: of its tier, 0 is the best. `offer` sets `since`."""

    priority: int
    since: float = field(default=0.0, init=False)
    removed: bool = field(default=False, init=False)


W = TypeVar("W", bound=QueueEntry)


class RequestQueue(Generic[W]):
    """The queue of one gateway. Times in seconds on the caller's clock."""

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
        """Length / maximum length."""
        return self._length / self._config.max_length

    @property
    def overloaded(self) -> bool:
        """Whether the lowest delay of the last interval was above the target."""
        return self._codel.overloaded

    @property
    def target_s(self) -> float:
        """The highest delay that is not overload (seconds)."""
        return max(self._config.target_s, self._config.prefill_factor * self._prefill_s)

    def offer(self, now: float, entry: W, prefill_s: float, *, promised: bool = False) -> W | None:
        """Adds an entry. If the queue is full, returns the entry removed for it, perhaps the new one.

        `prefill_s`: predicted.
        """
        self._prefill_s += _PREFILL_WEIGHT * (prefill_s - self._prefill_s) if self._prefill_s else prefill_s
        entry.since = now
        self._lines.setdefault(_PROMISED if promised else entry.priority, deque()).append(entry)
        self._length += 1
        self._observe(now)
        if self._length <= self._config.max_length:
            return None
        evicted = next(line for _, line in sorted(self._lines.items(), reverse=True) if self._trim(line))[-1]
        self.remove(evicted)
        return evicted

    def take(self, now: float) -> W | None:
        """Removes and returns the next entry, or None."""
        self._observe(now)
        for _, line in sorted(self._lines.items()):
            if self._trim(line):
                entry = line.pop() if self._codel.overloaded else line.popleft()
                self.remove(entry)
                return entry
        return None

    def remove(self, entry: W) -> None:
        """Removes an entry; a second call changes nothing."""
        if not entry.removed:
            entry.removed = True
            self._length -= 1

    def drop(self, now: float, *, served: bool = True) -> list[tuple[W, str]]:
        """Removes and returns the entries that waited too long, with the reason.

        Not `served`: no replica is available.
        """
        if not served:
            self._protect_all()
        self._observe(now)
        drop_after_s = self._codel.drops_after_s(self.target_s)
        dropped: list[tuple[W, str]] = []
        for priority, line in self._lines.items():
            limit_s = self._config.longest_s if priority == _PROMISED or drop_after_s is None else drop_after_s
            limit_s = min(limit_s, self._config.longest_s)
            for entry in self._older(line, now - limit_s):
                self.remove(entry)
                dropped.append((entry, f"waited {now - entry.since:.2f} s in the queue, more than {limit_s:.2f} s"))
        return dropped

    def _observe(self, now: float) -> None:
        oldest = min(
            (line[0].since for at, line in self._lines.items() if at != _PROMISED and self._trim(line)), default=now
        )
        self._codel.observe(now, now - oldest, self.target_s)

    def _protect_all(self) -> None:
        protected = self._lines.setdefault(_PROMISED, deque())
        for priority, line in sorted(self._lines.items()):
            if priority != _PROMISED:
                protected.extend(entry for entry in line if not entry.removed)
                line.clear()

    def _older(self, line: deque[W], since: float) -> list[W]:
        """The entries that waited since before `since`. Protected entries are ordered by tier, not by age."""
        if not self._trim(line) or (line[0].since >= since and line is not self._lines.get(_PROMISED)):
            return []
        return [entry for entry in line if not entry.removed and entry.since < since]

    def _trim(self, line: deque[W]) -> bool:
        """Takes removed entries off both ends; returns whether any entry is left."""
        while line and line[0].removed:
            line.popleft()
        while line and line[-1].removed:
            line.pop()
        return bool(line)
