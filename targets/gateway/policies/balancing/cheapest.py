"""Cheapest that meets the SLO: price decides among those that are predicted to be fast enough.

The price of a call is the engine time it takes times what the replica costs; per output token that is its price a
token. Predictions: the time to first token is the prefill of those that wait there and its own, or what was measured
lately (peak EWMA) if that is more; the time a token is an idle step and what all sequences there add to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.config import Upstream
from targets.gateway.policies.attempts.timeouts import prefill_s
from targets.gateway.policies.balancing.balancing import C, Candidate, idlest
from targets.gateway.policies.balancing.forecast import Ask, step_share_s, work_s

__all__ = ["Cheapest", "price_usd"]


class Cheapest:
    """Where nobody is predicted to meet the SLO, the least time to first token decides. Load is that, seconds."""

    def __init__(self, slo_ttft_s: float, slo_tpot_s: float) -> None:
        self._slo_ttft_s = slo_ttft_s
        self._slo_tpot_s = slo_tpot_s

    def pick(self, now: float, candidates: Sequence[C], rng: Random, ask: Ask) -> C:
        meet = [candidate for candidate in candidates if self._meets(now, candidate, ask)]
        if meet:
            return idlest(meet, [price_usd(candidate.upstream, ask) for candidate in meet], rng)
        return idlest(candidates, [_ttft_s(now, candidate, ask) for candidate in candidates], rng)

    def load(self, now: float, candidate: Candidate) -> float:
        return max(candidate.latency.cost(now), candidate.waiting_prefill_s)

    def _meets(self, now: float, candidate: Candidate, ask: Ask) -> bool:
        return (
            _ttft_s(now, candidate, ask) <= self._slo_ttft_s
            and (candidate.upstream.step_ms * 1e-3 + candidate.step_load_s + step_share_s(candidate.upstream, ask))
            / candidate.weight(now)
            <= self._slo_tpot_s
        )


def price_usd(upstream: Upstream, ask: Ask) -> float:
    """What the call costs there: its share of the replica's time, at the replica's price."""
    return work_s(upstream, ask) * upstream.usd_per_hour / 3600.0


def _ttft_s(now: float, candidate: Candidate, ask: Ask) -> float:
    own_s = prefill_s(ask.prompt, 0, candidate.upstream.prefill_us_per_token)
    return max(candidate.latency.cost(now), (candidate.waiting_prefill_s + own_s) / candidate.weight(now))
