"""The interval of a measure over several runs. The run is the unit: the calls of one run share its luck.

Student's t over one value a run: of logarithms for times, rates per second, prices and factors of a baseline where all
are above zero (their mean is then the geometric one), of the values themselves for shares, ratios and the rest. The
standard deviation between runs is never taken as smaller than

- what the intervals of the single runs imply (root mean square of their widths / 2 z): runs may be equal by chance;
- the weight of one call, for shares and ratios;
- 1 %, or 10 ms, for times: a clock and the windows of a measure have a resolution.

Where a run states a bound of its value and not an estimate (calls that nobody saw), the lower end is made from the
lower bounds and the upper end from the upper ones: more runs do not make such a bound tighter.

An end that half of the runs or more do not know for lack of samples stays unknown: the mean of many sample percentiles,
each of too few calls, would seem exact and be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.comparison.chance import Scale, least_sd, on_scale
from reports.gates.operators import OPERATORS
from reports.measures.value_range import ValueRange
from reports.shared.thresholds import Z_95

__all__ = ["OverRuns", "RunValue", "over_runs", "verdict_of", "widened", "wilson_at"]

Interval = tuple[float, float]
GateVerdict = str

_LOG_UNITS: Final = ("s", "tok/s", "sessions/s", "USD")
_RESOLUTION: Final = 0.01
"""Share of a time, or seconds, below which times of runs are not told apart."""


@dataclass(frozen=True, slots=True)
class RunValue:
    """The value of one run, in the unit that is compared with the bound.

    `interval`: its own 95 % interval; None for an exact value. `bounds`: the interval is a bound of a value that nobody
    saw in full, and not the chance of a sample. `samples`: number of calls, sessions, ...
    """

    value: float
    interval: Interval | None = None
    bounds: bool = False
    samples: int = 1


@dataclass(frozen=True, slots=True)
class OverRuns:
    """The mean of the runs' values (geometric on logarithms), and its interval; an unknown end is infinite."""

    value: float
    interval: Interval


def over_runs(runs: Sequence[RunValue], unit: str, level: float, values: ValueRange) -> OverRuns:
    """The mean over at least two runs, and its interval at `level`. `values`: the range of the measure.

    `unit`: as in report.json; `factor` for a factor of a baseline. Raises ValueError for fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError("an interval over runs needs at least two runs")
    if any(math.isinf(run.value) for run in runs):
        return OverRuns(math.inf, (values.low, math.inf))
    scale = _scale(unit, runs)
    lows, highs = ([_end(run, side, scale) for run in runs] for side in (0, 1))
    points = [on_scale(run.value, scale) for run in runs]
    mean, least = _mean(points), max(_own_sd(runs, scale), _weight(runs, unit, scale))
    low = -math.inf if _unknown(runs, 0) else _mean(lows) - _half(lows, least, level)
    high = math.inf if _unknown(runs, 1) else _mean(highs) + _half(highs, least, level)
    ends = [_back(end, scale) for end in (low, mean, high)]
    return OverRuns(ends[1], (_within(ends[0], values), _within(ends[2], values)))


def verdict_of(op: str, bound: float, interval: Interval) -> GateVerdict:
    """`pass` if the whole interval satisfies the gate, `fail` if none of it does, else `inconclusive`."""
    operator = OPERATORS[op]
    low, high = interval
    if operator.limit in ("equal", "unequal") and low < high:
        outside = bound < low or bound > high
        return "inconclusive" if not outside else "fail" if operator.limit == "equal" else "pass"
    holds = [operator.holds(end, bound) for end in interval]
    return "pass" if all(holds) else "inconclusive" if any(holds) else "fail"


def widened(run: RunValue, freedom: float, unit: str, level: float, values: ValueRange) -> Interval | None:
    """The 95 % interval of a single run at a higher level; None for an exact value.

    Each end moves away from the value by the ratio of the quantiles of Student's t, on the scale of the unit.
    `freedom`: its degrees of freedom. A bound stays what it is.
    """
    if run.interval is None or run.bounds or level <= 0.95 or math.isinf(run.value):
        return run.interval
    scale = _scale(unit, [run])
    factor = _t(freedom, level) / _t(freedom, 0.95)
    at = on_scale(run.value, scale)
    ends = [at + factor * (on_scale(end, scale) - at) for end in run.interval]
    low, high = (_within(_back(end, scale), values) for end in ends)
    return low, high


def wilson_at(share: float, effective: float, level: float) -> Interval:
    """Wilson's interval of a share of `effective` independent samples at a level (Wilson 1927)."""
    from scipy.special import ndtri  # 0.2 s

    z2 = float(ndtri((1 + level) / 2)) ** 2
    centre = (share + z2 / (2 * effective)) / (1 + z2 / effective)
    spread = share * (1 - share) / effective + z2 / (4 * effective**2)
    half = math.sqrt(z2 * max(0.0, spread)) / (1 + z2 / effective)
    return (0.0 if share <= 0 else max(0.0, centre - half)), (1.0 if share >= 1 else min(1.0, centre + half))


def _scale(unit: str, runs: Sequence[RunValue]) -> Scale:
    positive = all(run.value > 0 and (not run.bounds or _lowest(run) > 0) for run in runs)
    return "log" if positive and (unit in _LOG_UNITS or unit == "factor") else "linear"


def _lowest(run: RunValue) -> float:
    return run.value if run.interval is None else run.interval[0]


def _end(run: RunValue, side: int, scale: Scale) -> float:
    """The value of a run that an end of the interval is made from."""
    bound = run.interval[side] if run.bounds and run.interval is not None else run.value
    return on_scale(bound if math.isfinite(bound) else run.value, scale)


def _unknown(runs: Sequence[RunValue], side: int) -> bool:
    """Whether this end is unknown: a bound that has none, or half of the runs that lack samples for it."""
    open_ends = [run for run in runs if run.interval is not None and math.isinf(run.interval[side])]
    return any(run.bounds for run in open_ends) or 2 * len(open_ends) >= len(runs)


def _half(points: Sequence[float], least: float, level: float) -> float:
    mean, n = _mean(points), len(points)
    sd = math.sqrt(math.fsum((point - mean) ** 2 for point in points) / (n - 1))
    return _t(n - 1, level) * max(sd, least) / math.sqrt(n)


def _own_sd(runs: Sequence[RunValue], scale: Scale) -> float:
    """What the intervals of the single runs imply; of those with one known end, from its distance to the value."""
    widths = [width for run in runs if not run.bounds and (width := _width(run, scale)) is not None]
    return math.sqrt(math.fsum((width / Z_95) ** 2 for width in widths) / len(widths)) if widths else 0.0


def _width(run: RunValue, scale: Scale) -> float | None:
    """Half of the interval's width; None where no end is known."""
    if run.interval is None:
        return None
    low, high = (on_scale(end, scale) if math.isfinite(end) else end for end in run.interval)
    at = on_scale(run.value, scale)
    known = [abs(end - at) for end in (low, high) if math.isfinite(end)]
    return math.fsum(known) / len(known) if known else None


def _weight(runs: Sequence[RunValue], unit: str, scale: Scale) -> float:
    smallest = min(abs(run.value) for run in runs)
    weight = least_sd(unit, min(run.samples for run in runs), scale, smallest)
    return max(weight, _RESOLUTION) if unit == "s" else weight


def _mean(points: Sequence[float]) -> float:
    return math.fsum(points) / len(points)


def _back(point: float, scale: Scale) -> float:
    if scale == "linear":
        return point
    return math.exp(point) if point < 700 else math.inf


def _within(end: float, values: ValueRange) -> float:
    return min(max(end, values.low), values.high)


def _t(freedom: float, level: float) -> float:
    from scipy.special import stdtrit  # 0.2 s

    return float(stdtrit(freedom, (1 + level) / 2))
