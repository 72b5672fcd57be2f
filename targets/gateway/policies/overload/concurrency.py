"""Limits on the requests in flight at a replica, found out from how long they wait (Netflix concurrency-limits)."""

from __future__ import annotations

from typing import Protocol

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.aimd import AIMDLimit
from targets.gateway.policies.overload.gradient2 import Gradient2Limit

__all__ = ["FixedLimit", "Limit", "make_limit", "waited_s"]


class Limit(Protocol):
    """`places`: how many may be in flight now."""

    @property
    def places(self) -> int: ...

    def sample(self, now: float, waited_s: float, in_flight: int, dropped: bool) -> None:
        """A request's first token came, or (`dropped`) it was given up or refused before."""
        ...


class FixedLimit:
    """Always the same."""

    def __init__(self, config: Concurrency) -> None:
        self.places = config.initial

    def sample(self, now: float, waited_s: float, in_flight: int, dropped: bool) -> None:
        """Changes nothing."""


def waited_s(config: Concurrency, first_token_s: float, predicted_prefill_s: float) -> float:
    """What a limit is told of a time to first token (seconds): a constant plus what it was longer than its prefill.

    A long prompt is no queue; and without the constant, the ratio of two short waits would be noise.
    """
    return config.base_s + max(0.0, first_token_s - predicted_prefill_s)


def make_limit(config: Concurrency) -> Limit:
    """The limit of one replica."""
    if config.kind == "gradient2":
        return Gradient2Limit(config)
    return AIMDLimit(config) if config.kind == "aimd" else FixedLimit(config)
