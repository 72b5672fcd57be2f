"""The families of the catalogue, in the order it is told in."""

from __future__ import annotations

from typing import Final

__all__ = ["FAMILIES", "family_order"]

FAMILIES: Final = {
    "capacity": "a part of the fleet is gone",
    "demand": "more is asked for than before",
    "balancing": "the load is in the wrong place",
    "scheduling": "the gateway itself is the bottleneck",
    "switchover": "traffic moves from one cloud to another",
    "streams": "answers end, hang or lie half way",
    "grey-failure": "it looks well and is not",
    "economics": "what it costs, and where it gives way",
    "operations": "what is done on purpose",
}
"""A family and what is wrong in it."""


def family_order(family: str) -> tuple[int, str]:
    """A key to sort by: the families above in their order, then others by name."""
    names = list(FAMILIES)
    return (names.index(family) if family in FAMILIES else len(names), family)
