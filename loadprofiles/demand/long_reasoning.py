"""`long_reasoning`: a share of the calls requests many times the usual output tokens."""

from __future__ import annotations

from dataclasses import replace

from loadprofiles.demand.kind import Demand, Order
from loadprofiles.sessions.session import Call
from reports.shared.draws import uniform

__all__ = ["LongReasoning"]


class LongReasoning(Demand):
    """A `share` (0 to 1) of the calls has `factor` times the output tokens.

    Which calls is drawn from the seed, the order's id and the call's marker, like the share of a replica's behaviour
    (`docs/wire.md`).
    """

    def __init__(self, order: Order, factor: float, share: float) -> None:
        super().__init__(order)
        if not 1 < factor <= 1000:
            raise ValueError("the factor of long_reasoning must be above 1 and at most 1000")
        if not 0 < share <= 1:
            raise ValueError("the share of long_reasoning must be above 0 and at most 1")
        self._factor, self._share = factor, share

    def change_call(self, call: Call) -> Call:
        """See `Demand.change_call`."""
        key = f"{self.order.seed}/{self.order.id}/{call.marker.key}"
        if uniform(key) >= self._share:
            return call
        return replace(call, max_tokens=max(round(call.max_tokens * self._factor), 1))
