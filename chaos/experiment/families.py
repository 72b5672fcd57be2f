"""The families of the catalogue, in their order."""

from __future__ import annotations

from typing import Final

__all__ = ["FAMILIES", "family_order"]

FAMILIES: Final = {
    "capacity": "a part of the fleet is lost",
    "demand": "demand is higher than before",
    "balancing": "load is on the wrong replicas",
    "scheduling": "the gateway itself is the bottleneck",
    "switchover": "traffic moves from one cloud to another",
    "streams": "streams end too early, stall or are corrupt",
    "grey-failure": "health checks pass, and service is bad",
    "economics": "cost, and the load at which service fails",
    "operations": "planned operations",
}
"""A family, and what goes wrong in its experiments."""


def family_order(family: str) -> tuple[int, str]:
    """A sort key: the families above in their order, then other names alphabetically."""
    names = list(FAMILIES)
    return (names.index(family) if family in FAMILIES else len(names), family)
