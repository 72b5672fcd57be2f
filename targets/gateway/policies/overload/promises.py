"""Promises: a refused request that is repeated after its `Retry-After` is admitted. Pure.

A promise is valid from its due time for `keep_s`, plus one second because `Retry-After` is rounded up. A request that
is repeated too early gets the remaining wait, and no second promise. Requests that were shed get slots one after the
other, at `trickle` x the rate of completions, so that promised requests cannot overload the stack again. Each lane has
its own slots, so that a better tier does not wait behind a lower one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

__all__ = ["Promise", "Promises"]

_ROUNDED_UP_S = 1.0
_EARLY_S = 0.05  # tolerance for the timers of clients
_MAX_OPEN = 10_000
_MIN_RATE = 1.0  # completions per second that are assumed at least


@dataclass(slots=True)
class Promise:
    """Admission from `due_at` on. `deposit`: what the caller stores with it. `redeemed`: it was used."""

    due_at: float
    deposit: Any
    redeemed: bool = False


class Promises:
    """All open promises of one gateway, by the key of the request."""

    def __init__(self, trickle: float, longest_wait_s: float, keep_s: float) -> None:
        self._trickle = trickle
        self._longest_s = longest_wait_s
        self._keep_s = keep_s + _ROUNDED_UP_S
        self._open: dict[Hashable, Promise] = {}
        self._expiries: list[tuple[float, int, Hashable, Promise]] = []
        self._made = 0
        self._slot_at: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._open)

    def slot_wait_s(self, now: float, completions_per_s: float, lane: int = 0) -> float:
        """Seconds until the next slot of the lane. `make` takes the slot."""
        return max(self._slot_at.get(lane, now), now) - now + 1.0 / (self._trickle * max(completions_per_s, _MIN_RATE))

    def make(self, now: float, key: Hashable, wait_s: float, deposit: Any, *, lane: int | None = None) -> bool:
        """Promises admission after `wait_s`, and takes the slot of `lane` if given.

        Returns False, without a promise, if the wait is too long or too many promises are open.
        """
        if wait_s > self._longest_s or len(self._open) >= _MAX_OPEN:
            return False
        if lane is not None:
            self._slot_at[lane] = now + wait_s
        promise = self._open[key] = Promise(now + wait_s, deposit)
        self._made += 1
        heappush(self._expiries, (promise.due_at + self._keep_s, self._made, key, promise))
        return True

    def early_s(self, now: float, key: Hashable) -> float | None:
        """Returns the seconds until the promise of `key` is due; 0 = due; None = no promise."""
        promise = self._open.get(key)
        if promise is None:
            return None
        return 0.0 if now >= promise.due_at - _EARLY_S else promise.due_at - now

    def redeem(self, key: Hashable) -> Any:
        """Uses the promise of `key`; returns its deposit."""
        promise = self._open.pop(key)
        promise.redeemed = True
        return promise.deposit

    def take_expired(self, now: float) -> list[Any]:
        """Ends promises that expired, or that a later one for the same key replaced. Returns the unused deposits."""
        deposits: list[Any] = []
        while self._expiries and self._expiries[0][0] <= now:
            _, _, key, promise = heappop(self._expiries)
            if self._open.get(key) is promise:
                del self._open[key]
            if not promise.redeemed:
                deposits.append(promise.deposit)
        return deposits
