"""Slow start (Envoy): a replica that comes back takes its share slowly, so that a cold cache is not the next outage."""

from __future__ import annotations

from targets.gateway.config import SlowStart

__all__ = ["weight"]


def weight(config: SlowStart | None, since_back_s: float) -> float:
    """Share of a full replica's load: `max(min_weight, (t / window) ^ (1 / aggression))`, 1 after the window."""
    if config is None or since_back_s >= config.window_s:
        return 1.0
    risen: float = (max(since_back_s, 0.0) / config.window_s) ** (1.0 / config.aggression)
    return max(config.min_weight, risen)
