"""Exponential backoff with full jitter (gRPC A6): `random(0, min(initial x multiplier^(n-1), max))`."""

from __future__ import annotations

from random import Random

from targets.gateway.config import Backoff

__all__ = ["backoff_s"]


def backoff_s(config: Backoff | None, retry: int, rng: Random) -> float:
    """Returns the pause (seconds) before retry number `retry`, counted from 1; 0 without a backoff."""
    if config is None:
        return 0.0
    return rng.random() * min(config.initial_s * config.multiplier ** (retry - 1), config.max_s)
