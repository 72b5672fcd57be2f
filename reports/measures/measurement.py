"""The result of a measure: value, interval and number of samples; or why it is not measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import (
    FEW,
    Interval,
    bootstrap_interval,
    effective_samples,
    rare_events_interval,
    rate_interval,
)
from reports.history.statistics import FloatArray

__all__ = [
    "Interval",
    "Measure",
    "Measurement",
    "Rare",
    "bounded",
    "fact",
    "not_measured",
    "proportion",
    "resampled",
    "unknown_hits",
]


@dataclass(frozen=True, slots=True)
class Measurement:
    """The value of a measure for a run, in the measure's unit. `math.inf`: never. None: not measured; see `why_not`.

    `samples`: number of calls, sessions, ... measured. `effective`: as how many independent ones they count; 0 where
    the interval does not rest on it. `sessions`: number of sessions that they belong to. `interval` computes the 95 %
    interval, `resamples` the values of the bootstrap, for a quotient with another phase; None for facts. `rare`: the
    interval is wider than that of the bootstrap, because too few sessions had the event. `note` qualifies the value for
    readers. A fact with an interval is a bound of a value that was not reached.
    """

    value: float | None
    samples: int = 0
    sessions: int = 0
    why_not: str = ""
    interval: Callable[[], Interval] | None = None
    resamples: Callable[[], FloatArray] | None = None
    note: str = ""
    effective: float = 0.0
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Rare:
    """What moves a ratio away from its usual value, for where hardly a session did (`rare_events_interval`).

    `sessions`: number of sessions that moved it. `usual`: its value without them. `per_session`: by how much one such
    session moves it.
    """

    sessions: int
    usual: float
    per_session: float


Measure = Callable[[Evidence, Scope, str], Measurement]
"""A measure: a function of the evidence, the scope, and the statistic ("" for none)."""


def not_measured(why: str, samples: int = 0) -> Measurement:
    """The run has no such value, for the reason `why`."""
    return Measurement(None, samples, why_not=why)


def unknown_hits(evidence: Evidence) -> str | None:
    """Why it is not known which calls met the faults; None: it is."""
    kinds = [impact.fault.kind for impact in evidence.impacts if impact.injected and not impact.hits_are_known]
    if not kinds:
        return None
    return f"which calls met the fault {' and '.join(dict.fromkeys(kinds))} is not known: it acts outside brownout"


def fact(value: float, samples: int = 0) -> Measurement:
    """A count or an extreme: exact, without an interval."""
    return Measurement(float(value), samples)


def bounded(found: Measurement, note: str, *, low: float | None = None, high: float | None = None) -> Measurement:
    """A measurement whose true value may be as low as `low` or as high as `high`, for the reason `note`.

    Its interval includes both, and that of the sample.
    """
    if found.value is None:
        return found
    value, inner = found.value, found.interval
    ends = [end for end in (low, high) if end is not None]

    def interval() -> Interval:
        least, most = inner() if inner is not None else (value, value)
        return min(least, *ends), max(most, *ends)

    return replace(found, interval=interval, resamples=None, note=note)


def proportion(hits: FloatArray, offered: FloatArray, resamples: Callable[[], FloatArray]) -> Measurement:
    """The share sum(hits) / sum(offered), both given per session, with its interval."""
    trials = float(offered.sum())
    if trials <= 0:
        return not_measured("there is no sample")
    return Measurement(
        float(hits.sum()) / trials,
        round(trials),
        int(np.count_nonzero(offered)),
        interval=lambda: rate_interval(hits, offered),
        resamples=resamples,
        effective=effective_samples(hits, offered),
    )


def resampled(
    value: float, samples: int, sessions: int, resamples: Callable[[], FloatArray], rare: Rare | None = None
) -> Measurement:
    """A ratio with its bootstrap interval, which is widened where fewer than `FEW` sessions had the event (`rare`)."""
    if math.isnan(value):
        return not_measured("the denominator is 0", samples)
    few = rare is not None and rare.sessions < FEW

    def interval() -> Interval:
        freedom = sessions - 1 if rare is None else min(sessions - 1, 2 * rare.sessions)
        low, high = bootstrap_interval(resamples(), freedom)
        if rare is None or not few:
            return low, high
        ends = rare_events_interval(rare.sessions, rare.per_session, rare.usual)
        return min(low, *ends), max(high, *ends)

    return Measurement(value, samples, sessions, interval=interval, resamples=resamples, rare=few)
