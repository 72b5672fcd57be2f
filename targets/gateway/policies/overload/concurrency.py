"""Limits on the requests in flight at a replica, derived from their waits (Netflix concurrency-limits)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.aimd import AIMDLimit
from targets.gateway.policies.overload.fixed import FixedLimit
from targets.gateway.policies.overload.gradient2 import Gradient2Limit

__all__ = ["LIMITS", "Limit", "excess_wait_s", "make_limit"]


class Limit(Protocol):
    """The limit of one replica. `places`: requests that may be in flight now."""

    @property
    def places(self) -> int: ...

    def sample(self, now: float, waited_s: float, in_flight: int, dropped: bool) -> None:
        """A request had its first token after `waited_s`, or (`dropped`) timed out or was rejected before it."""
        ...


LIMITS: dict[str, Callable[[Concurrency], Limit]] = {
    "gradient2": Gradient2Limit,
    "aimd": AIMDLimit,
    "fixed": FixedLimit,
}
"""`concurrency.kind` in a stack file -> the limit."""


def make_limit(config: Concurrency) -> Limit:
    """Returns the limit of one replica."""
    return LIMITS[config.kind](config)


def excess_wait_s(config: Concurrency, first_token_s: float, predicted_prefill_s: float) -> float:
    """The wait that a limit samples: `base_s` plus the time to first token beyond the predicted prefill (seconds).

    A long prompt is not a queue. Without the constant, the ratio of two short waits would be noise.
    """
    return config.base_s + max(0.0, first_token_s - predicted_prefill_s)
