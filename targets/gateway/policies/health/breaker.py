"""A circuit breaker (resilience4j, count-based window).

CLOSED -> OPEN when too many of the last calls failed or were slow. OPEN -> HALF_OPEN after `open_s`. HALF_OPEN lets
some real requests through as probes; their results decide: CLOSED or back to OPEN.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from reports.shared.attributes import Transition
from targets.gateway.config import Breaker

__all__ = ["BreakerState", "CircuitBreaker"]


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """The breaker of one replica. Methods that may change its state return the transition and the reason, or None."""

    def __init__(self, config: Breaker) -> None:
        self._config = config
        self._min_calls = config.min_calls if config.min_calls is not None else config.window_calls
        self._window: deque[tuple[bool, bool]] = deque(maxlen=config.window_calls)
        self._failures = 0
        self._slow = 0
        self._opened_at = 0.0
        self._probing = 0
        self._period = 0
        self.state = BreakerState.CLOSED

    @property
    def open_until(self) -> float:
        """When an open breaker turns half open."""
        return self._opened_at + self._config.open_s

    def admits(self) -> bool:
        """Whether a request may pass. Call `advance` first."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN:
            return False
        return self._probing + len(self._window) < self._config.half_open_calls

    def enter(self) -> int:
        """A request passes. Returns the half-open period that it probes (0: none); pass it to `leave`."""
        if self.state is not BreakerState.HALF_OPEN:
            return 0
        self._probing += 1
        return self._period

    def is_slow(self, first_token_s: float | None, token_s: float | None) -> bool:
        """Whether a call with these times (seconds; None = not known) counts as slow."""
        slow_first, slow_token = self._config.slow_first_token_s, self._config.slow_token_s
        return (slow_first is not None and first_token_s is not None and first_token_s > slow_first) or (
            slow_token is not None and token_s is not None and token_s > slow_token
        )

    def leave(self, now: float, probe: int, failed: bool | None, slow: bool = False) -> tuple[Transition, str] | None:
        """A request ended. `failed` None: the outcome says nothing about the replica (a 429, a client disconnect)."""
        if self.state is BreakerState.HALF_OPEN:
            if probe != self._period:
                return None  # it started before the breaker opened
            self._probing -= 1
        if failed is None or self.state is BreakerState.OPEN:
            return None
        self._record(failed, slow)
        if self.state is BreakerState.HALF_OPEN:
            return self._judge_probes(now)
        if len(self._window) < self._min_calls:
            return None
        return self._judge(now, len(self._window))

    def advance(self, now: float) -> tuple[Transition, str] | None:
        """OPEN -> HALF_OPEN after `open_s`."""
        if self.state is BreakerState.OPEN and now >= self.open_until:
            return self.half_open(f"open for {self._config.open_s:g} s")
        return None

    def half_open(self, why: str) -> tuple[Transition, str] | None:
        """OPEN -> HALF_OPEN at once, for example after a successful readiness probe."""
        if self.state is not BreakerState.OPEN:
            return None
        self._clear(self._config.half_open_calls)
        self._period += 1
        self.state = BreakerState.HALF_OPEN
        return Transition.BREAKER_HALF_OPEN, why

    def _record(self, failed: bool, slow: bool) -> None:
        if len(self._window) == self._window.maxlen:
            old_failed, old_slow = self._window[0]
            self._failures -= old_failed
            self._slow -= old_slow
        self._window.append((failed, slow))
        self._failures += failed
        self._slow += slow

    def _judge(self, now: float, calls: int) -> tuple[Transition, str] | None:
        if self._failures >= self._config.failure_share * calls:
            why = f"{self._failures} of {calls} calls failed"
        elif self._slow >= self._config.slow_share * calls:
            why = f"{self._slow} of {calls} calls were slow"
        else:
            return None
        self._clear()
        self.state = BreakerState.OPEN
        self._opened_at = now
        return Transition.BREAKER_OPEN, why

    def _judge_probes(self, now: float) -> tuple[Transition, str] | None:
        wanted = self._config.half_open_calls
        opened = self._judge(now, wanted)  # as soon as the remaining probes cannot change the result
        if opened is not None:
            return opened
        if len(self._window) < wanted:
            return None
        self._clear()
        self.state = BreakerState.CLOSED
        return Transition.BREAKER_CLOSED, f"{wanted} probes succeeded"

    def _clear(self, window_calls: int | None = None) -> None:
        # As in resilience4j, the half-open window has its own size, which may be larger than the closed one.
        self._window = deque(maxlen=window_calls if window_calls is not None else self._config.window_calls)
        self._failures = self._slow = self._probing = 0
