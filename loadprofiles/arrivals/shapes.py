"""A rate given by the name of its shape, or a sum of them: the common part of `poisson` and a profile's arrivals."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

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
    """Exactly one shape, or a `sum` of shapes. Raises ValueError."""

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
            raise ValueError(f"arrivals need exactly one of {', '.join(names)}")
        self.curve()

    def curve(self) -> Rate:
        """The mean rate as a function of time. Raises ValueError for invalid numbers."""
        if self.sum:
            return RateSum(*(part.curve() for part in self.sum))
        shape = (
            self.constant or self.ramp or self.step or self.spike or self.sawtooth or self.diurnal or self.launch_day
        )
        assert shape is not None
        return shape.curve()

    def scaled(self, factor: float) -> Self:
        """With `factor` times the rate at any time."""
        if self.sum:
            return replace(self, sum=tuple(part.scaled(factor) for part in self.sum))
        name = next(field.name for field in fields(self) if hasattr(getattr(self, field.name), "scaled"))
        return replace(self, **{name: getattr(self, name).scaled(factor)})
