"""A jump: a run of steps with an unchanged batch, in closed form."""

from __future__ import annotations

import math

from targets.hardware.step_cost import PICOSECONDS

__all__ = ["Jump"]


class Jump:
    """A run of steps with one batch. Step n (from 1) takes `first + growth * (n - 1)` picoseconds.

    `origin` is the start of the busy period on the caller's clock, in seconds. `start` is the start of the jump, in
    picoseconds after `origin`. `ended` counts the steps that have ended; the owner increments it.
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
        """The end of a step, in picoseconds after `origin`."""
        return self.start + step * self.first + self.growth * (step * (step - 1) // 2)

    def end_of(self, step: int) -> float:
        """The end of a step on the caller's clock, in seconds. Never decreases with `step`."""
        return self.origin + self.ticks(step) / PICOSECONDS

    def truncate(self) -> None:
        """End the jump with the step in flight."""
        self.steps = self.ended + 1

    def ended_by(self, now: float) -> int:
        """Returns how many steps have ended at `now`."""
        if self.end_of(self.ended + 1) > now:
            return self.ended
        if self.end_of(self.steps) <= now:
            return self.steps
        # start + n * first + growth * n * (n - 1) / 2 = now, solved for n in floats, then corrected to the exact step
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
