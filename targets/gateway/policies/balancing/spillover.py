"""Spillover (Envoy priorities): pools one after the other, the next when the one before is full.

A step is a set of replicas with the same rank. It is full at `in_flight` requests per replica, averaged over those that
may take the call. When all steps are full, every replica is a candidate: the order is a preference, not a limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from targets.gateway.config import Spillover, Upstream
from targets.gateway.policies.balancing.balancer import C
from targets.gateway.policies.balancing.cheapest import price_usd
from targets.gateway.policies.balancing.forecast import CallSize

__all__ = ["PoolSteps"]

_TYPICAL = CallSize(prompt=4000, output=200.0)  # compares the prices of pools where no order is given


class PoolSteps:
    """The steps of one gateway, by the configured order or by price."""

    def __init__(self, config: Spillover, upstreams: Sequence[Upstream]) -> None:
        self._full = config.in_flight
        if config.order:
            last = len(config.order)
            rank = {name: n for n, name in enumerate(config.order)}
            self._step = {u.name: min(rank.get(u.pool, last), rank.get(u.cloud, last)) for u in upstreams}
        else:
            prices = {u.name: price_usd(u, _TYPICAL) for u in upstreams}
            steps = sorted(set(prices.values()))
            self._step = {name: steps.index(price) for name, price in prices.items()}
        self._steps = sorted(set(self._step.values()))

    def step(self, name: str) -> int:
        """Returns the step of a replica; 0 is used first."""
        return self._step[name]

    def narrow(self, candidates: Sequence[C]) -> Sequence[C]:
        """Returns the candidates of the first step that is not full; all candidates if every step is full."""
        for step in self._steps:
            here = [candidate for candidate in candidates if self._step[candidate.name] == step]
            if here and sum(candidate.in_flight for candidate in here) < self._full * len(here):
                return here
        return candidates
