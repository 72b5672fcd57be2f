"""Spillover (Envoy priorities): pools one after the other, the next when the one before is full.

A step is full at `in_flight` requests a replica, on average over those that may take the call. When all steps are full,
every replica is a candidate again: an order is a wish, not a reason to refuse.
"""

from __future__ import annotations

from collections.abc import Sequence

from targets.gateway.config import Spillover, Upstream
from targets.gateway.policies.balancing.balancing import C
from targets.gateway.policies.balancing.cheapest import price_usd
from targets.gateway.policies.balancing.forecast import Ask

__all__ = ["Steps"]

_TYPICAL = Ask(prompt=4000, output=200.0)  # by which pools are compared where no order is given


class Steps:
    """The steps of one gateway, from the configured order or by price."""

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
        """The step that a replica belongs to; 0 is the first choice."""
        return self._step[name]

    def narrow(self, candidates: Sequence[C]) -> Sequence[C]:
        """The candidates of the first step that is not full; all of them if none is."""
        for step in self._steps:
            here = [candidate for candidate in candidates if self._step[candidate.name] == step]
            if here and sum(candidate.in_flight for candidate in here) < self._full * len(here):
                return here
        return candidates
