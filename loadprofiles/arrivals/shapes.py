"""A rate by the name of its shape, alone or as a sum: what `poisson` and the arrivals of a profile have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields

from loadprofiles.arrivals.constant import Constant
from loadprofiles.arrivals.diurnal import Diurnal
from loadprofiles.arrivals.launch_day import LaunchDay
from loadprofiles.arrivals.ramp import Ramp
from loadprofiles.arrivals.rate import Rate, RateSum
from loadprofiles.arrivals.sawtooth import Sawtooth
from loadprofiles.arrivals.spike import Spike
from loadprofiles.arrivals.step import Step

__all__ = ["Shapes"]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Exactly one of the shapes, or their `sum`."""

    constant: Constant | None = None
    ramp: Ramp | None = None
    step: Step | None = None
    spike: Spike | None = None
    sawtooth: Sawtooth | None = None
    diurnal: Diurnal | None = None
    launch_day: LaunchDay | None = None
    sum: tuple[Shapes, ...] = ()

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self) if field.default in (None, ())]
        if sum(getattr(self, name) not in (None, ()) for name in names) != 1:
            raise ValueError(f"needs exactly one of {', '.join(names)}")
        self.curve()

    def curve(self) -> Rate:
        """The mean rate as a function of time. Raises `ValueError` where the numbers are none."""
        if self.sum:
            return RateSum(*(part.curve() for part in self.sum))
        shape = (
            self.constant or self.ramp or self.step or self.spike or self.sawtooth or self.diurnal or self.launch_day
        )
        assert shape is not None
        return shape.curve()
