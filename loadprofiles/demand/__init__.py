"""Demand faults: what the runner may order while a load is played, one kind per file. Pure.

    kind             what a kind of demand may add and change (base class), and the runner's order
    surge            more sessions than the profile's, constant or decaying
    heavy_tenant     more sessions of one tenant, until it has a given share of the load
    long_reasoning   a share of the calls requests many times the output
    retry_storm      clients retry immediately and without limit
    growth           start times of the extra sessions
    level            a factor on the load that a person sets; no fault
    active           the active orders and their lease

Every response of the collector contains the current orders (`docs/wire.md`); an order that is missing is ended.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from loadprofiles.demand.active import LEASE_S, ActiveDemand
from loadprofiles.demand.growth import Growth, extra_times
from loadprofiles.demand.heavy_tenant import HeavyTenant
from loadprofiles.demand.kind import ClientOverride, Demand, ExtraSessions, Order
from loadprofiles.demand.level import HIGHEST_LEVEL, LOWEST_LEVEL, Level, Thinning
from loadprofiles.demand.long_reasoning import LongReasoning
from loadprofiles.demand.retry_storm import RetryStorm
from loadprofiles.demand.surge import Surge

__all__ = [
    "HIGHEST_LEVEL",
    "KINDS",
    "LEASE_S",
    "LOWEST_LEVEL",
    "ActiveDemand",
    "ClientOverride",
    "Demand",
    "ExtraSessions",
    "Growth",
    "Level",
    "Order",
    "Thinning",
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
    """The demand that an order describes. Raises ValueError for an unknown kind or invalid parameters."""
    kind = KINDS.get(order.kind)
    if kind is None:
        raise ValueError(f"unknown kind {order.kind!r}: one of {', '.join(KINDS)}")
    try:
        return kind(order, **order.params)
    except TypeError as error:
        raise ValueError(f"{order.kind}: {error}") from None


def read_orders(given: object) -> list[Demand]:
    """The demands of a list of orders. An invalid order is logged and ignored; its fault is then not confirmed."""
    demands = []
    for order in given if isinstance(given, list) else []:
        try:
            demands.append(demand_of(msgspec.convert(order, Order)))
        except (msgspec.ValidationError, ValueError) as error:
            _log.error("invalid demand order: %s", error)
    return demands
