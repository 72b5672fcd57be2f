"""Slow start (Envoy): a readmitted replica gets its share slowly, because its cache is cold."""

from __future__ import annotations

from targets.gateway.config import SlowStart

__all__ = ["weight"]


def weight(config: SlowStart | None, since_readmitted_s: float) -> float:
    """Share of a full replica's load: `max(min_weight, (t / window) ^ (1 / aggression))`, 1 after the window."""
    if config is None or since_readmitted_s >= config.window_s:
        return 1.0
    risen: float = (max(since_readmitted_s, 0.0) / config.window_s) ** (1.0 / config.aggression)
    return max(config.min_weight, risen)
