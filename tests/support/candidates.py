"""Fake candidates for the tests of the balancing policies."""

from __future__ import annotations

from dataclasses import dataclass, field

from targets.gateway.config import Upstream
from targets.gateway.policies.balancing.forecast import CallSize
from targets.gateway.policies.balancing.peak_ewma import PeakEwma

__all__ = ["SIZE", "FakeCandidate", "upstream"]

SIZE = CallSize(prompt=1000, output=100.0)


def upstream(name: str = "r", pool: str = "p", cloud: str = "", usd_per_hour: float = 0.0) -> Upstream:
    """Prefill of 100 us per token; a decode step of 20 ms, plus 1 ms + 1 us per token of context for each sequence."""
    return Upstream(
        name,
        pool,
        f"http://{name}",
        cloud,
        prefill_us_per_token=100.0,
        step_ms=20.0,
        full_step_ms=200.0,
        sequence_us=1000.0,
        context_ns_per_token=1000.0,
        usd_per_hour=usd_per_hour,
    )


@dataclass
class FakeCandidate:
    """A replica as the balancing policies see it. `share`: its weight."""

    name: str
    in_flight: int = 0
    latency: PeakEwma = field(default_factory=lambda: PeakEwma(10.0))
    outstanding_work_s: float = 0.0
    step_load_s: float = 0.0
    waiting_prefill_s: float = 0.0
    reported_load: float | None = None
    share: float = 1.0
    upstream: Upstream = field(default_factory=upstream)

    def weight(self, now: float) -> float:
        return self.share
