"""The retry budget: retries as a share of requests, so that retries cannot cause the next outage.

Two limits at once. Finagle's `RetryBudget`: each request deposits 1, each retry withdraws `1/share`, deposits expire
after `ttl_s`, and `reserve_per_s` retries per second are free. Envoy's: at most this number of
retries at the same time: `max(active_min, active_share x (active + pending requests))`.
"""

from __future__ import annotations

from collections import deque

from targets.gateway.config import RetryBudget

__all__ = ["Budget"]

_BUCKETS = 10


class Budget:
    """The budget of one gateway. Balance in deposits; times in seconds."""

    def __init__(self, config: RetryBudget) -> None:
        self._config = config
        self._bucket_s = config.ttl_s / _BUCKETS
        self._cost = 1.0 / config.share
        self._reserve = config.reserve_per_s * config.ttl_s * self._cost
        self._deposits: deque[list[float]] = deque()  # [bucket's start, balance]; withdrawals are negative
        self._balance = 0.0
        self.active = 0

    def deposit(self, now: float) -> None:
        """A request arrived."""
        self._add(now, 1.0)

    def withdraw(self, now: float, in_flight: int) -> str | None:
        """Takes out one retry; returns the reason if that is not allowed, else None. `in_flight`: attempts at the
        gateway."""
        allowed = max(self._config.active_min, self._config.active_share * in_flight)
        if self.active >= allowed:
            return f"{self.active} retries are active, the limit is {allowed:g}"
        self._expire(now)
        if self._balance + self._reserve < self._cost:
            return f"the retry budget is spent ({self._config.share:.0%} of requests)"
        self._add(now, -self._cost)
        self.active += 1
        return None

    def done(self) -> None:
        """A retry that was taken out ended."""
        self.active -= 1

    def _add(self, now: float, amount: float) -> None:
        self._expire(now)
        if not self._deposits or now - self._deposits[-1][0] >= self._bucket_s:
            self._deposits.append([now, 0.0])
        self._deposits[-1][1] += amount
        self._balance += amount

    def _expire(self, now: float) -> None:
        while self._deposits and now - self._deposits[0][0] >= self._config.ttl_s:
            self._balance -= self._deposits.popleft()[1]
