"""Cheapest replica that meets the SLO: price decides among the replicas that are predicted to be fast enough.

The price of a call is its engine time x the replica's price. Predictions: the time to first token is the prefill of the
waiting requests plus its own, or the peak EWMA of measured times if that is more; the time per token is an idle decode
step plus the share of each sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.config import Upstream
from targets.gateway.policies.attempts.timeouts import prefill_s
from targets.gateway.policies.balancing.balancer import C, Candidate, least_loaded
from targets.gateway.policies.balancing.forecast import CallSize, step_share_s, work_s

__all__ = ["Cheapest", "price_usd"]


class Cheapest:
    """If no replica is predicted to meet the SLO, the lowest time to first token wins. Load is that time, in
    seconds."""

    def __init__(self, slo_ttft_s: float, slo_tpot_s: float) -> None:
        self._slo_ttft_s = slo_ttft_s
        self._slo_tpot_s = slo_tpot_s

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C:
        meet = [candidate for candidate in candidates if self._meets(now, candidate, size)]
        if meet:
            return least_loaded(meet, [price_usd(candidate.upstream, size) for candidate in meet], rng)
        return least_loaded(candidates, [_ttft_s(now, candidate, size) for candidate in candidates], rng)

    def load(self, now: float, candidate: Candidate) -> float:
        return max(candidate.latency.cost(now), candidate.waiting_prefill_s)

    def _meets(self, now: float, candidate: Candidate, size: CallSize) -> bool:
        return (
            _ttft_s(now, candidate, size) <= self._slo_ttft_s
            and (candidate.upstream.step_ms * 1e-3 + candidate.step_load_s + step_share_s(candidate.upstream, size))
            / candidate.weight(now)
            <= self._slo_tpot_s
        )


def price_usd(upstream: Upstream, size: CallSize) -> float:
    """Price of the call at a replica (US dollars): its engine time x the replica's price."""
    return work_s(upstream, size) * upstream.usd_per_hour / 3600.0


def _ttft_s(now: float, candidate: Candidate, size: CallSize) -> float:
    own_s = prefill_s(size.prompt, 0, candidate.upstream.prefill_us_per_token)
    return max(candidate.latency.cost(now), (candidate.waiting_prefill_s + own_s) / candidate.weight(now))
