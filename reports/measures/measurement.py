"""What a measure answers: a value, how sure it is, on how many samples; or why there is none."""

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
    """One number of a run, in its measure's unit. `math.inf` is a value ("never"); None is none, and `why_not` says
    why.

    `samples` counts what the measure is made of (calls, sessions), `sessions` how many sessions they come from.
    `interval` computes the 95 % interval, `resamples` the bootstrap's values for a quotient with another phase; None
    for facts. `note`: what a reader of the value must know. A fact with an interval is a bound of what was not reached.
    """

    value: float | None
    samples: int = 0
    sessions: int = 0
    why_not: str = ""
    interval: Callable[[], Interval] | None = None
    resamples: Callable[[], FloatArray] | None = None
    note: str = ""


Measure = Callable[[Evidence, Scope, str], Measurement]
"""A measure is a function of the evidence, the scope asked about, and the statistic ("" for the bare name)."""


def not_measured(why: str, samples: int = 0) -> Measurement:
    """There is no such number in this run."""
    return Measurement(None, samples, why_not=why)


def fact(value: float, samples: int = 0) -> Measurement:
    """A count or an extreme: exact."""
    return Measurement(float(value), samples)


def proportion(
    successes: float, trials: int, sessions: int, effect: float, resamples: Callable[[], FloatArray]
) -> Measurement:
    """A share with Wilson's interval, on trials divided by the design effect of their clusters."""
    if trials == 0:
        return not_measured("there was nothing to count")
    share = successes / trials
    effective = trials / effect
    return Measurement(
        share, trials, sessions, interval=lambda: wilson_interval(share * effective, effective), resamples=resamples
    )


def resampled(value: float, samples: int, sessions: int, resamples: Callable[[], FloatArray]) -> Measurement:
    """A percentile or a ratio with its bootstrap interval."""
    if math.isnan(value):
        return not_measured("there was nothing to divide by", samples)
    return Measurement(value, samples, sessions, interval=lambda: percentile_interval(resamples()), resamples=resamples)
