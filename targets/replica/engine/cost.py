"""What a step of the engine costs, and a run of equal steps in closed form.

One step with P prefill tokens (Pi of request i, from position si), D sequences decoding, and K the sum of their
contexts:

    T = a + b * P + b2 * sum(Pi * (si + Pi / 2)) + c * D + d * K

The linear part is BLIS's and Vidur's form; b2 is the attention of a prompt to itself, which grows with its square.

Time inside a busy period is whole picoseconds since its beginning: integers, so that n steps at once and n steps one by
one end at the very same instant, whatever the order of additions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["PICOSECONDS", "Jump", "StepCost", "StepRates"]

PICOSECONDS: Final = 10**12
"""Picoseconds in a second."""


class StepRates(NamedTuple):
    """A step cost under the factors of a fault, in whole picoseconds."""

    decode_fixed: int
    prefill_fixed: int
    token: int
    half_square: int
    sequence: int
    context: int

    def step(self, prefill: int, squares: int, decoding: int, context: int) -> int:
        """Picoseconds of a step: `squares` is sum(Pi * (2 * si + Pi)), `decoding` D, `context` K."""
        fixed = self.decode_fixed if decoding else self.prefill_fixed
        return (
            fixed
            + self.token * prefill
            + self.half_square * squares
            + self.sequence * decoding
            + self.context * context
        )

    def growth(self, decoding: int) -> int:
        """Picoseconds by which each decode step is longer than the one before it: every context grew by a token."""
        return self.context * decoding


@dataclass(frozen=True, slots=True)
class StepCost:
    """The coefficients of the step's formula, in seconds: `a_s` a step, `b_s` a prefill token, `b2_s` a prefill token
    and token before it, `c_s` a decoding sequence, `d_s` a token of context of a decoding sequence.

    Raises `ValueError` where one is negative or not finite, or `a_s` is zero.
    """

    a_s: float
    b_s: float
    b2_s: float = 0.0
    c_s: float = 0.0
    d_s: float = 0.0

    def __post_init__(self) -> None:
        values = (self.a_s, self.b_s, self.b2_s, self.c_s, self.d_s)
        if not all(math.isfinite(value) and value >= 0 for value in values) or self.a_s <= 0:
            raise ValueError(f"coefficients of a step are finite and not negative, a_s above zero: {self}")

    def rates(self, *, prefill: float = 1.0, decode: float = 1.0) -> StepRates:
        """The same in picoseconds; a throttled chip's decode work takes `decode` times as long, its prefill work
        `prefill` times. The fixed part counts as decode work in a step in which anyone decodes.

        Raises `ValueError` where a factor is not a finite number above zero.
        """
        if not (math.isfinite(prefill) and math.isfinite(decode) and prefill > 0 and decode > 0):
            raise ValueError(f"factors are finite and above zero: prefill {prefill}, decode {decode}")
        return StepRates(
            max(1, round(self.a_s * decode * PICOSECONDS)),
            max(1, round(self.a_s * prefill * PICOSECONDS)),
            round(self.b_s * prefill * PICOSECONDS),
            round(self.b2_s * prefill * PICOSECONDS / 2),
            round(self.c_s * decode * PICOSECONDS),
            round(self.d_s * decode * PICOSECONDS),
        )


class Jump:
    """A run of steps with one batch: step n (from 1) takes `first + growth * (n - 1)` picoseconds.

    `origin` is the busy period's beginning on the caller's clock (seconds), `start` the jump's in picoseconds since.
    `ended` counts the steps that are over; it is the owner's to raise.
    """

    __slots__ = ("ended", "first", "growth", "origin", "start", "steps")

    def __init__(self, origin: float, start: int, first: int, growth: int, steps: int) -> None:
        self.origin = origin
        self.start = start
        self.first = first
        self.growth = growth
        self.steps = steps
        self.ended = 0

    def ticks(self, step: int) -> int:
        """The end of a step, in picoseconds of the busy period."""
        return self.start + step * self.first + self.growth * (step * (step - 1) // 2)

    def end_of(self, step: int) -> float:
        """The end of a step on the caller's clock. Never decreases with `step`."""
        return self.origin + self.ticks(step) / PICOSECONDS

    def cut(self) -> None:
        """End the jump with the step in flight."""
        self.steps = self.ended + 1

    def ended_by(self, now: float) -> int:
        """How many steps are over at `now`."""
        if self.end_of(self.ended + 1) > now:
            return self.ended
        if self.end_of(self.steps) <= now:
            return self.steps
        # start + n * first + growth * n * (n - 1) / 2 = now, solved for n in floats; then to the exact step
        elapsed = max(0.0, (now - self.origin) * PICOSECONDS - self.start)
        linear = self.first - self.growth / 2
        root = math.sqrt(linear * linear + 2 * self.growth * elapsed)
        guess = (root - linear) / self.growth if self.growth else elapsed / linear
        step = min(max(int(guess), self.ended + 1), self.steps - 1)
        while step + 1 < self.steps and self.end_of(step + 1) <= now:
            step += 1
        while self.end_of(step) > now:
            step -= 1
        return step
