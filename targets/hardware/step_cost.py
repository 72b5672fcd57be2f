"""The cost of an engine step.

One step with P prefill tokens (Pi of request i, from position si), D decoding sequences, and K the sum of their
contexts in tokens takes

    T = a + b * P + b2 * sum(Pi * (si + Pi / 2)) + c * D + d * K

The linear part has the form of BLIS and Vidur. b2 is the attention of a prompt to itself, which is quadratic.

Costs are whole picoseconds. With integers, n steps computed at once and n steps computed one by one end at exactly the
same instant, in any order of addition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["PICOSECONDS", "StepCost", "StepRates"]

PICOSECONDS: Final = 10**12
"""Picoseconds in a second."""


class StepRates(NamedTuple):
    """A step cost with the factors of the active faults applied, in whole picoseconds."""

    decode_fixed: int
    prefill_fixed: int
    token: int
    half_square: int
    sequence: int
    context: int

    def step(self, prefill: int, squares: int, decoding: int, context: int) -> int:
        """Picoseconds of a step. `squares` is sum(Pi * (2 * si + Pi)), `decoding` is D, `context` is K."""
        fixed = self.decode_fixed if decoding else self.prefill_fixed
        return (
            fixed
            + self.token * prefill
            + self.half_square * squares
            + self.sequence * decoding
            + self.context * context
        )

    def growth(self, decoding: int) -> int:
        """Picoseconds by which each decode step is longer than the previous one: each context grew by a token."""
        return self.context * decoding


@dataclass(frozen=True, slots=True)
class StepCost:
    """The coefficients of the formula, in seconds.

    `a_s`: per step. `b_s`: per prefill token. `b2_s`: per pair of a prefill token and a token before it. `c_s`: per
    decoding sequence. `d_s`: per context token of a decoding sequence.

    Raises `ValueError` if one is negative or not finite, or if `a_s` is zero.
    """

    a_s: float
    b_s: float
    b2_s: float = 0.0
    c_s: float = 0.0
    d_s: float = 0.0

    def __post_init__(self) -> None:
        values = (self.a_s, self.b_s, self.b2_s, self.c_s, self.d_s)
        if not all(math.isfinite(value) and value >= 0 for value in values) or self.a_s <= 0:
            raise ValueError(f"the coefficients of a step must be finite and not negative, a_s above zero: {self}")

    def rates(self, *, prefill: float = 1.0, decode: float = 1.0) -> StepRates:
        """Returns the costs in picoseconds, prefill work multiplied by `prefill` and decode work by `decode`.

        The fixed part counts as decode work in a step with at least one decoding sequence, else as prefill work.

        Raises `ValueError` if a factor is not a finite number above zero.
        """
        if not (math.isfinite(prefill) and math.isfinite(decode) and prefill > 0 and decode > 0):
            raise ValueError(f"factors must be finite and above zero: prefill {prefill}, decode {decode}")
        return StepRates(
            max(1, round(self.a_s * decode * PICOSECONDS)),
            max(1, round(self.a_s * prefill * PICOSECONDS)),
            round(self.b_s * prefill * PICOSECONDS),
            round(self.b2_s * prefill * PICOSECONDS / 2),
            round(self.c_s * decode * PICOSECONDS),
            round(self.d_s * decode * PICOSECONDS),
        )
