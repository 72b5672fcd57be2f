"""`latency`: a request is delayed before it reaches the engine, as by a slow network."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour

__all__ = ["Latency"]

_Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]


class Latency(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Delays by `ms` milliseconds plus or minus up to `jitter_ms` (uniform; never below zero)."""

    ms: _Milliseconds
    jitter_ms: _Milliseconds = 0.0

    def delay_s(self, draw: float) -> float:
        """The delay in seconds."""
        return max(0.0, self.ms + self.jitter_ms * (2 * draw - 1)) / 1000
