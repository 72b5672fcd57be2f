"""When sessions begin. Pure: a rate is a function of time, start times are drawn from keyed streams.

    rate        what every shape can say: its value, its integral, the inverse of that
    curve       a rate that is linear between points
    periodic    a rate that comes back
    constant, ramp, step, spike, sawtooth, diurnal, launch_day      the shapes
    shapes      one of them, or a sum of them
    poisson     chance around a rate: gamma gaps with a coefficient of variation
    trace       times as they were recorded

Shapes alone spread their sessions evenly: session i starts when i + 1/2 sessions are expected. The same times come with
every seed. `poisson` draws them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from loadprofiles.arrivals.constant import Constant
from loadprofiles.arrivals.curve import Curve
from loadprofiles.arrivals.diurnal import Diurnal
from loadprofiles.arrivals.launch_day import LaunchDay
from loadprofiles.arrivals.periodic import Periodic
from loadprofiles.arrivals.poisson import Poisson
from loadprofiles.arrivals.ramp import Ramp
from loadprofiles.arrivals.rate import Rate, RateSum
from loadprofiles.arrivals.sawtooth import Sawtooth
from loadprofiles.arrivals.shapes import Shapes
from loadprofiles.arrivals.spike import Spike
from loadprofiles.arrivals.step import Step
from loadprofiles.arrivals.trace import Trace
from loadprofiles.draws import Draws

__all__ = [
    "ArrivalsSpec",
    "Constant",
    "Curve",
    "Diurnal",
    "LaunchDay",
    "Periodic",
    "Poisson",
    "Ramp",
    "Rate",
    "RateSum",
    "Sawtooth",
    "Shapes",
    "Spike",
    "Step",
    "Trace",
]


@dataclass(frozen=True, slots=True)
class ArrivalsSpec(Shapes):
    """Exactly one of the shapes, `poisson`, `trace`, or a `sum`, as `arrivals: {spike: {...}}` in a profile.

    In a sum, shapes add up to one rate, whose sessions are spread evenly; `poisson` and `trace` keep their own times.
    """

    poisson: Poisson | None = None
    trace: Trace | None = None
    sum: tuple[ArrivalsSpec, ...] = ()

    def curve(self) -> Rate:
        """The mean rate as a function of time."""
        own = self.poisson or self.trace
        return own.curve() if own is not None else Shapes.curve(self)

    def rate(self, t: float) -> float:
        """Sessions a second at `t` seconds."""
        return self.curve().rate(t)

    def arrivals(self, draws: Draws) -> Iterator[float]:
        """Start times in seconds, rising; without an end unless the rate falls to 0 for good."""
        if self.poisson is not None:
            return self.poisson.arrivals(draws)
        if self.trace is not None:
            return self.trace.arrivals()
        if self._spread:
            return self.curve().evenly()
        together = [part.curve() for part in self.sum if part._spread]
        apart = (part.arrivals(draws.of("sum", k)) for k, part in enumerate(self.sum) if not part._spread)
        return heapq.merge(*([RateSum(*together).evenly()] if together else []), *apart)

    @property
    def _spread(self) -> bool:
        """Nothing but shapes."""
        return self.poisson is None and self.trace is None and all(part._spread for part in self.sum)
