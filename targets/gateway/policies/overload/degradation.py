"""Degradation: under load, shorter responses for the tiers that allow it (Klein et al., "Brownout", ICSE '14).

Their dimmer follows response times; this one follows the load at admission and queue.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.gateway.config import Degradation

__all__ = ["Degraded", "degrade", "dimmer"]


@dataclass(frozen=True, slots=True)
class Degraded:
    """The reduced limits of a request. `max_tokens` None = unchanged; `model` "" = unchanged."""

    max_tokens: int | None
    model: str = ""

    @property
    def header(self) -> str:
        """The value of `X-Brownout-Degraded`."""
        parts = [f"max_tokens={self.max_tokens}"] if self.max_tokens is not None else []
        if self.model:
            parts.append(f"model={self.model}")
        return "; ".join(parts)


def dimmer(config: Degradation, load: float) -> float:
    """Returns 1 for full service down to 0 for the lowest allowed service, at this load."""
    return min(1.0, max(0.0, (config.to_load - load) / (config.to_load - config.from_load)))


def degrade(config: Degradation, tier: str, load: float, max_tokens: int | None) -> Degraded | None:
    """Returns the reduced limits of a request for `max_tokens` (None: no limit) at this load; None = full service."""
    if tier not in config.tiers:
        return None
    level = dimmer(config, load)
    lowered: int | None = None
    if max_tokens is not None:
        share = config.least_share + (1.0 - config.least_share) * level
        lowered = max(min(config.least_tokens, max_tokens), round(max_tokens * share))
        if lowered >= max_tokens:
            lowered = None
    model = config.model if level == 0.0 else ""
    return Degraded(lowered, model) if lowered is not None or model else None
