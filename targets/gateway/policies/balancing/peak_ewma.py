"""Peak EWMA (Finagle `PeakEwma`): a moving average of latency that rises at once and falls slowly."""

from __future__ import annotations

from math import exp

__all__ = ["PeakEwma"]


class PeakEwma:
    """`rtt > cost ? cost = rtt : w = e^(-dt/tau), cost = w cost + (1 - w) rtt`. Seconds; 0 = not measured."""

    __slots__ = ("_at", "_cost", "_decay_s")

    def __init__(self, decay_s: float) -> None:
        self._decay_s = decay_s
        self._cost = 0.0
        self._at = 0.0

    def observe(self, now: float, rtt_s: float) -> None:
        """Records a measured latency."""
        cost = self.cost(now)
        if rtt_s > cost:
            self._cost = rtt_s
        else:
            weight = exp(-(now - self._at) / self._decay_s)
            self._cost = weight * self._cost + (1.0 - weight) * rtt_s
        self._at = now

    def cost(self, now: float) -> float:
        """Returns the cost at `now`. It decays without measurements, so that an avoided replica is tried again."""
        if self._cost == 0.0:
            return 0.0
        return self._cost * exp(-(now - self._at) / self._decay_s) if now > self._at else self._cost

    def load(self, now: float, in_flight: int) -> float:
        """`cost x (in flight + 1)`, seconds. Finagle's penalty: a busy replica without a measurement is avoided."""
        cost = self.cost(now)
        if cost == 0.0 and in_flight:
            return _PENALTY_S + in_flight
        return cost * (in_flight + 1)


_PENALTY_S = 1e6
