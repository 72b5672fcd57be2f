"""What a refusal promised: come back in so many seconds, and you get in. Pure.

A promise is kept from its time on for `keep_s` (and the second to which `Retry-After` is rounded up). One who comes
early is told the rest of the wait, and gets no second promise. Slots of those that were shed follow one another at
`trickle` x the rate at which requests end, so that the promised ones cannot overload the stack again. Slots are in
lanes, so that a few of a better tier need not wait behind many of a worse one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

__all__ = ["Promise", "Promises"]

_ROUNDED_UP_S = 1.0
_EARLY_S = 0.05  # clocks and timers of clients
_MOST = 10_000
_LEAST_RATE = 1.0  # requests/s that end: before any has


@dataclass(slots=True)
class Promise:
    """`due_at`: from when on. `paid`: what the caller keeps with it, until it is `redeemed`."""

    due_at: float
    paid: Any
    redeemed: bool = False


class Promises:
    """All open promises of one gateway, by the caller's key."""

    def __init__(self, trickle: float, longest_wait_s: float, keep_s: float) -> None:
        self._trickle = trickle
        self._longest_s = longest_wait_s
        self._keep_s = keep_s + _ROUNDED_UP_S
        self._open: dict[Hashable, Promise] = {}
        self._lapse: list[tuple[float, int, Hashable, Promise]] = []
        self._made = 0
        self._slot_at: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._open)

    def slot_wait_s(self, now: float, ends_per_s: float, lane: int = 0) -> float:
        """Seconds until the lane's next slot of those that are shed. Not taken before `make`."""
        return max(self._slot_at.get(lane, now), now) - now + 1.0 / (self._trickle * max(ends_per_s, _LEAST_RATE))

    def make(self, now: float, key: Hashable, wait_s: float, paid: Any, *, lane: int | None = None) -> bool:
        """Promises `key` that it gets in after `wait_s`, at a slot if it names a lane; False: that is too long."""
        if wait_s > self._longest_s or len(self._open) >= _MOST:
            return False
        if lane is not None:
            self._slot_at[lane] = now + wait_s
        promise = self._open[key] = Promise(now + wait_s, paid)
        self._made += 1
        heappush(self._lapse, (promise.due_at + self._keep_s, self._made, key, promise))
        return True

    def early_s(self, now: float, key: Hashable) -> float | None:
        """Seconds that `key` is too early for its promise; 0 = it is due; None = it has none."""
        promise = self._open.get(key)
        if promise is None:
            return None
        return 0.0 if now >= promise.due_at - _EARLY_S else promise.due_at - now

    def redeem(self, key: Hashable) -> Any:
        """The promise is kept; returns what was paid with it."""
        promise = self._open.pop(key)
        promise.redeemed = True
        return promise.paid

    def lapsed(self, now: float) -> list[Any]:
        """What was paid with promises that nobody came back for, or that a later one to the same key replaced; they
        are over."""
        back: list[Any] = []
        while self._lapse and self._lapse[0][0] <= now:
            _, _, key, promise = heappop(self._lapse)
            if self._open.get(key) is promise:
                del self._open[key]
            if not promise.redeemed:
                back.append(promise.paid)
        return back
