"""When sessions start. Pure: a rate is a function of time, and random start times are drawn by key.

    rate          a rate as a function of time, its integral, and the inverse of that (base class)
    curve         a rate that is linear between points
    periodic      a rate that repeats
    constant, ramp, step, spike, sawtooth, diurnal, launch_day      the shapes of a rate
    shapes        exactly one shape, or a sum of shapes
    poisson       random arrivals around a rate: gamma gaps with a coefficient of variation
    trace         recorded start times
    file          the `arrivals` of a profile file (pydantic)
    start_times   reads files of recorded start times

Shapes alone spread their sessions evenly: session i starts when i + 1/2 sessions are expected, with every seed.
`poisson` draws the start times from the seed.
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
    """Exactly one shape, `poisson`, `trace`, or a `sum`, as in `arrivals: {spike: {...}}` of a profile.

    In a sum, the shapes add up to one rate, whose sessions are spread evenly; `poisson` and `trace` keep their own
    start times.
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
        """Ascending start times in seconds; endless unless the rate stays at 0."""
        if self.poisson is not None:
            return self.poisson.arrivals(draws)
        if self.trace is not None:
            return self.trace.arrivals()
        if self._only_shapes:
            return self.curve().evenly_spaced()
        shapes = [part.curve() for part in self.sum if part._only_shapes]
        others = (part.arrivals(draws.of("sum", k)) for k, part in enumerate(self.sum) if not part._only_shapes)
        return heapq.merge(*([RateSum(*shapes).evenly_spaced()] if shapes else []), *others)

    @property
    def _only_shapes(self) -> bool:
        """Whether this is a shape or a sum of shapes only."""
        return self.poisson is None and self.trace is None and all(part._only_shapes for part in self.sum)
