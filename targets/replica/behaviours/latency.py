"""`latency`: a request waits before it reaches the engine, as on a slow way in."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour

__all__ = ["Latency"]

_Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]


class Latency(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`ms` milliseconds, give or take up to `jitter_ms` (uniform, never below zero)."""

    ms: _Milliseconds
    jitter_ms: _Milliseconds = 0.0

    def delay_s(self, draw: float) -> float:
        """Seconds to wait."""
        return max(0.0, self.ms + self.jitter_ms * (2 * draw - 1)) / 1000
