"""The result of a measure: value, interval and number of samples; or why it is not measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from reports.history.evidence import Evidence, Scope
from reports.history.statistics import FloatArray, percentile_interval, wilson_interval

__all__ = ["Interval", "Measure", "Measurement", "fact", "not_measured", "proportion", "resampled"]

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """The value of a measure for a run, in the measure's unit. `math.inf`: never. None: not measured; see `why_not`.

    `samples`: number of calls, sessions, ... measured. `sessions`: number of sessions that they belong to. `interval`
    computes the 95 % interval, `resamples` the values of the bootstrap, for a quotient with another phase; None for
    facts. `note` qualifies the value for readers. A fact with an interval is a bound of a value that was not reached.
    """

    value: float | None
    samples: int = 0
    sessions: int = 0
    why_not: str = ""
    interval: Callable[[], Interval] | None = None
    resamples: Callable[[], FloatArray] | None = None
    note: str = ""


Measure = Callable[[Evidence, Scope, str], Measurement]
"""A measure: a function of the evidence, the scope, and the statistic ("" for none)."""


def not_measured(why: str, samples: int = 0) -> Measurement:
    """The run has no such value, for the reason `why`."""
    return Measurement(None, samples, why_not=why)


def fact(value: float, samples: int = 0) -> Measurement:
    """A count or an extreme: exact, without an interval."""
    return Measurement(float(value), samples)


def proportion(
    successes: float, trials: int, sessions: int, effect: float, resamples: Callable[[], FloatArray]
) -> Measurement:
    """A share with Wilson's interval; `effect` is the design effect of sessions, by which trials are divided."""
    if trials == 0:
        return not_measured("there is no sample")
    share = successes / trials
    effective = trials / effect
    return Measurement(
        share, trials, sessions, interval=lambda: wilson_interval(share * effective, effective), resamples=resamples
    )


def resampled(value: float, samples: int, sessions: int, resamples: Callable[[], FloatArray]) -> Measurement:
    """A percentile or a ratio with its bootstrap interval."""
    if math.isnan(value):
        return not_measured("the denominator is 0", samples)
    return Measurement(value, samples, sessions, interval=lambda: percentile_interval(resamples()), resamples=resamples)
