"""The comparison operators of gates, a plain dict: the grammar reads these, and judging applies them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["MISSPELT", "OPERATORS", "Limit", "Operator"]

Limit = Literal["maximum", "minimum", "equal", "unequal"]
"""What the right-hand side is for the value."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: `holds(value, bound)` returns whether the comparison is true."""

    holds: Callable[[float, float], bool]
    limit: Limit


OPERATORS: Final[dict[str, Operator]] = {
    "<=": Operator(operator.le, "maximum"),
    ">=": Operator(operator.ge, "minimum"),
    "==": Operator(operator.eq, "equal"),
    "!=": Operator(operator.ne, "unequal"),
    "<": Operator(operator.lt, "maximum"),
    ">": Operator(operator.gt, "minimum"),
}
"""The operators by their text in a gate."""

MISSPELT: Final[dict[str, str]] = {"=": "==", "=<": "<=", "=>": ">="}
"""Texts that are not operators, and the operator that was probably meant."""
