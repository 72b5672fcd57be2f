"""Checks and resolves the `arrivals` of a profile file. Imports pydantic, so only the runner may import it.

spike: {base: 4.7, peak: 10, for: 5s}
poisson: {diurnal: {low: 2, high: 8, period: 60s}}
gamma: {cv: 4, constant: {rate: 2}}
trace: {file: starts.csv, column: Timestamp, speed: 10}
sum: [{constant: {rate: 2}}, {launch_day: {base: 0, peak: 20, from: 15s, half_life: 10s}}]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from loadprofiles.arrivals import (
    ArrivalsSpec,
    Constant,
    Diurnal,
    LaunchDay,
    Poisson,
    Ramp,
    Sawtooth,
    Shapes,
    Spike,
    Step,
    Trace,
)
from loadprofiles.arrivals.start_times import read_start_times
from reports.shared.documents import Duration, Mistake
from reports.shared.home import expanded

__all__ = ["KINDS", "SHAPES", "ArrivalsFile"]

Rate = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
Period = Annotated[Duration, Field(gt=0)]
Variation = Annotated[float, Field(ge=0.05, le=20, description="coefficient of variation of the gaps; 1 is Poisson")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Constant(_Model):
    rate: Rate = Field(description="sessions a second")

    def resolve(self) -> Constant:
        return Constant(self.rate)


class _Ramp(_Model):
    start: Rate = Field(description="sessions a second before the ramp")
    end: Rate = Field(description="sessions a second after the ramp")
    from_: Duration = Field(default=0.0, alias="from")
    over: Duration = Field(description="how long the ramp takes, for example 30s")

    def resolve(self) -> Ramp:
        return Ramp(self.start, self.end, self.over, self.from_)


class _Step(_Model):
    start: Rate = Field(description="sessions a second before the step")
    end: Rate = Field(description="sessions a second after the step")
    at: Duration = Field(description="when the rate changes, for example 20s")

    def resolve(self) -> Step:
        return Step(self.start, self.end, self.at)


class _Spike(_Model):
    base: Rate = Field(description="sessions a second before and after the spike")
    peak: Rate = Field(description="sessions a second during the spike")
    from_: Duration = Field(default=0.0, alias="from")
    for_: Duration = Field(alias="for", description="how long the spike lasts, for example 5s")

    def resolve(self) -> Spike:
        return Spike(self.base, self.peak, self.for_, self.from_)


class _Wave(_Model):
    low: Rate = Field(description="lowest sessions a second, at the beginning of each period")
    high: Rate = Field(description="highest sessions a second")
    period: Period = Field(description="how long a period is, for example 60s")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise Mistake(f"low {self.low:g} is above high {self.high:g}", "swap them")
        return self


class _Sawtooth(_Wave):
    rest: Duration = Field(default=0.0, description="how long the rate stays at low before it rises")

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.rest >= self.period:
            what = f"rest {self.rest:g} s is not below period {self.period:g} s"
            raise Mistake(what, "make rest shorter than period")
        return self

    def resolve(self) -> Sawtooth:
        return Sawtooth(self.low, self.high, self.period, self.rest)


class _Diurnal(_Wave):
    def resolve(self) -> Diurnal:
        return Diurnal(self.low, self.high, self.period)


class _LaunchDay(_Model):
    base: Rate = Field(description="sessions a second before the peak, and long after it")
    peak: Rate = Field(description="sessions a second at the peak")
    from_: Duration = Field(default=0.0, alias="from")
    half_life: Period = Field(description="time in which the rate above base halves, for example 10s")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.base > self.peak:
            raise Mistake(f"base {self.base:g} is above peak {self.peak:g}", "swap them")
        return self

    def resolve(self) -> LaunchDay:
        return LaunchDay(self.base, self.peak, self.half_life, self.from_)


SHAPES: Final = ("constant", "ramp", "step", "spike", "sawtooth", "diurnal", "launch_day")
KINDS: Final = (*SHAPES, "poisson", "gamma", "trace", "sum")
"""The keys of `arrivals`; `gamma` is `poisson` with a required `cv`."""


class _Shapes(_Model):
    constant: _Constant | None = None
    ramp: _Ramp | None = None
    step: _Step | None = None
    spike: _Spike | None = None
    sawtooth: _Sawtooth | None = None
    diurnal: _Diurnal | None = None
    launch_day: _LaunchDay | None = None
    sum: Annotated[Sequence[_Shapes], Field(min_length=1, max_length=20)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        kinds = [key for key in KINDS if key in type(self).model_fields]
        given = [key for key in kinds if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise Mistake(f"must be exactly one shape, found {found}", f"keep one of: {', '.join(kinds)}")
        return self

    def shapes(self) -> dict[str, Any]:
        if self.sum is not None:
            return {"sum": tuple(Shapes(**part.shapes()) for part in self.sum)}
        given = ((key, getattr(self, key)) for key in SHAPES)
        return {key: shape.resolve() for key, shape in given if shape is not None}


class _Poisson(_Shapes):
    cv: Variation = 1.0

    def resolve(self) -> Poisson:
        return Poisson(**self.shapes(), cv=self.cv)


class _Gamma(_Poisson):
    cv: Variation


class _Trace(_Model):
    file: str = Field(description="a file with one start time per line, or a CSV file")
    column: str | None = Field(default=None, description="column of the CSV file; the first one if left out")
    speed: float = Field(default=1.0, gt=0, le=1e6, description="how many times faster than recorded")

    def resolve(self, folder: Path) -> Trace:
        path = expanded(self.file)
        beside = folder / path
        times = read_start_times(beside if path.is_absolute() or beside.is_file() else path, self.column)
        return Trace(tuple(at / self.speed for at in times))


class ArrivalsFile(_Shapes):
    """The `arrivals` as written: exactly one shape, `poisson`, `gamma`, `trace` or `sum`."""

    poisson: _Poisson | None = None
    gamma: _Gamma | None = None
    trace: _Trace | None = None
    sum: Annotated[list[ArrivalsFile], Field(min_length=1, max_length=20)] | None = None

    def resolve(self, folder: Path) -> ArrivalsSpec:
        """The arrivals. `folder`: the base of a trace's relative path. Raises `InvalidFile` for an invalid trace."""
        if self.sum is not None:
            return ArrivalsSpec(sum=tuple(part.resolve(folder) for part in self.sum))
        if self.trace is not None:
            return ArrivalsSpec(trace=self.trace.resolve(folder))
        random = self.poisson or self.gamma
        return ArrivalsSpec(**self.shapes(), poisson=random.resolve() if random is not None else None)
