"""Demand as a fault: what the runner may order while a load is played, one kind a file. Pure.

    surge            more sessions than the profile says, at once or decaying
    heavy_tenant     more sessions of one tenant, until it is a given share of what is offered
    long_reasoning   a share of the calls asks for many times the output
    retry_storm      clients that retry at once and without limit
    growth           which extra sessions start when
    now              what is ordered now, and the lease it is on

An order comes with every answer of the collector (`docs/wire.md`); what is no longer in the answer is taken off.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from loadprofiles.demand.growth import Growth, extra_times
from loadprofiles.demand.heavy_tenant import HeavyTenant
from loadprofiles.demand.kind import Demand, Extra, Habit, Order
from loadprofiles.demand.long_reasoning import LongReasoning
from loadprofiles.demand.now import LEASE_S, DemandNow
from loadprofiles.demand.retry_storm import RetryStorm
from loadprofiles.demand.surge import Surge

__all__ = [
    "KINDS",
    "LEASE_S",
    "Demand",
    "DemandNow",
    "Extra",
    "Growth",
    "Habit",
    "Order",
    "demand_of",
    "extra_times",
    "read_orders",
]

_log = logging.getLogger(__name__)

KINDS: Final[dict[str, type[Demand]]] = {
    "surge": Surge,
    "heavy_tenant": HeavyTenant,
    "long_reasoning": LongReasoning,
    "retry_storm": RetryStorm,
}


def demand_of(order: Order) -> Demand:
    """The demand that an order asks for. Raises ValueError for an unknown kind or parameters that are wrong."""
    kind = KINDS.get(order.kind)
    if kind is None:
        raise ValueError(f"unknown kind {order.kind!r}: one of {', '.join(KINDS)}")
    try:
        return kind(order, **order.params)
    except TypeError as error:
        raise ValueError(f"{order.kind}: {error}") from None


def read_orders(given: object) -> list[Demand]:
    """The demands of an answer's list of orders. One that cannot be read is logged and left out: its fault is then not
    seen to work."""
    demands = []
    for order in given if isinstance(given, list) else []:
        try:
            demands.append(demand_of(msgspec.convert(order, Order)))
        except (msgspec.ValidationError, ValueError) as error:
            _log.error("an order for more demand was not understood: %s", error)
    return demands
