"""When sessions begin. Pure: a rate is a function of time, start times are drawn from keyed streams.

    curve      a rate that is linear between points, its integral and the inverse of it
    constant   the same rate all the time
    ramp       from one rate to another
    spike      a base rate, and a higher one for a while
    poisson    chance around one of the above; gamma gaps with a coefficient of variation

`constant`, `ramp` and `spike` alone spread their sessions evenly: session i starts when i + 1/2 sessions are expected.
The same times come with every seed. `poisson` draws them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loadprofiles.arrivals.constant import Constant
from loadprofiles.arrivals.curve import Curve
from loadprofiles.arrivals.poisson import Poisson
from loadprofiles.arrivals.ramp import Ramp
from loadprofiles.arrivals.spike import Spike
from loadprofiles.draws import Draws

__all__ = ["ArrivalsSpec", "Constant", "Curve", "Poisson", "Ramp", "Spike"]


@dataclass(frozen=True, slots=True)
class ArrivalsSpec:
    """Exactly one of the shapes, as `arrivals: {spike: {...}}` in a profile."""

    constant: Constant | None = None
    ramp: Ramp | None = None
    spike: Spike | None = None
    poisson: Poisson | None = None

    def __post_init__(self) -> None:
        if sum(shape is not None for shape in (self.constant, self.ramp, self.spike, self.poisson)) != 1:
            raise ValueError("arrivals need exactly one of constant, ramp, spike, poisson")

    def curve(self) -> Curve:
        """The mean rate as a function of time."""
        shape = self.constant or self.ramp or self.spike or self.poisson
        assert shape is not None
        return shape.curve()

    def rate(self, t: float) -> float:
        """Sessions a second at `t` seconds."""
        return self.curve().rate(t)

    def arrivals(self, draws: Draws) -> Iterator[float]:
        """Start times in seconds, rising; without an end unless the rate falls to 0 for good."""
        return self.poisson.arrivals(draws) if self.poisson is not None else self.curve().evenly()
