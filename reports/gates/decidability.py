"""The best interval that a gate can get from a planned load, and whether that decides it.

The best case: not one call is bad, slow or repeated. Gates sit near it, so it shows what a perfect target could reach:
where even that interval crosses the limit, no run can decide the gate. `with_bad` is the widest interval with up to 1 %
of bad calls, each in a session of its own: a gate should leave room for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from reports.gates.grammar import Gate, samples_needed
from reports.gates.operators import OPERATORS
from reports.history.intervals import (
    FEW,
    Interval,
    effective_samples,
    percentile_ranks,
    quotient_interval,
    rare_events_interval,
    rate_interval,
    worst_effect,
)
from reports.history.statistics import FloatArray
from reports.measures.spec import quantile_of
from reports.shared.thresholds import Z_95

__all__ = ["ROOM", "Decidability", "decidability"]

ROOM: Final = 0.01
"""The share of bad calls for which a gate should leave room."""

_REPEATS: Final = {"retry_amplification": 1.0, "prefill_amplification": 1.0, "wasted_tokens": 0.0}
"""Ratios that a perfect target keeps at this value, and that a bad call raises."""


@dataclass(frozen=True, slots=True)
class Decidability:
    """What a planned load gives a gate. `effective`: as how many independent samples its samples count.

    `best`: its interval without a bad call; None where it cannot be known before the run. `with_bad`: the widest with
    up to 1 % of bad calls. `decidable`: the best one decides the gate. `room`: `with_bad` does too. Of a
    percentile, an end tells only whether it will be known: 0 or infinite; its room is for two slow calls a session.
    """

    effective: float
    best: Interval | None
    with_bad: Interval | None
    decidable: bool
    room: bool


def decidability(gate: Gate, offered: FloatArray, in_baseline: FloatArray | None = None) -> Decidability:
    """The decidability of a gate with these planned samples of each session.

    `in_baseline`: the samples of the baseline, for a gate that compares with it, and for `goodput_lost`.
    """
    offered = offered[offered > 0]
    if gate.kind == "percentile":
        return _of_percentile(gate, offered, in_baseline)
    if gate.kind == "rate":
        return _judged(gate, offered, lambda bad: _rate(gate, offered, in_baseline, bad))
    if gate.measure == "goodput_lost" and in_baseline is not None:
        return _judged(gate, offered, lambda bad: _lost(offered, in_baseline, bad))
    if gate.measure in _REPEATS and not gate.relative_to_baseline:
        usual = _REPEATS[gate.measure]
        return _judged(gate, offered, lambda bad: _repeats(offered, usual, bad))
    if gate.relative_to_baseline and in_baseline is not None:
        widths = [Z_95 * math.sqrt(worst_effect(n) / max(1.0, float(n.sum()))) for n in (offered, in_baseline)]
        ends = [(math.exp(-width), math.exp(width)) for width in widths]
        flow = quotient_interval(1.0, ends[0], 1.0, ends[1])
        return Decidability(_worst(offered), flow, flow, _decides(gate, flow), _decides(gate, flow))
    return Decidability(_worst(offered), None, None, decidable=True, room=True)


def _of_percentile(gate: Gate, offered: FloatArray, in_baseline: FloatArray | None) -> Decidability:
    q = quantile_of(gate.stat)
    both = [offered] if in_baseline is None else [offered, in_baseline]
    effective, gathered = (min(_spread(each, q, slow) for each in both) for slow in (1, 2))
    needed = samples_needed(gate)
    decidable = needed is not None and effective >= needed.count
    high = percentile_ranks(gathered, q)[1]
    upwards = OPERATORS[gate.op].limit == "minimum"
    room = decidable and (upwards or (high is not None and high <= 1 - ROOM))
    best = (0.0, 0.0 if decidable else math.inf)
    return Decidability(effective, best, best if room else (0.0, math.inf), decidable, room)


def _spread(offered: FloatArray, q: float, slow: int) -> float:
    """The effective samples of a percentile whose slow calls come `slow` a session."""
    return effective_samples(_hits(offered, round((1 - q) * float(offered.sum())), slow), offered)


def _hits(offered: FloatArray, bad: int, together: int = 1) -> FloatArray:
    """The good calls of each session when so many calls are bad, `together` in a session while there are enough.

    The longest sessions come first. Planned samples may be fractions: a session loses at most what it has.
    """
    order = np.argsort(-offered, kind="stable")
    rounds, rest = divmod(math.ceil(bad / together), max(1, offered.size))
    lost = np.full(offered.size, float(rounds * together))
    lost[order[:rest]] += together
    return np.asarray(np.maximum(0.0, offered - lost), dtype=np.float64)


def _rate(gate: Gate, offered: FloatArray, in_baseline: FloatArray | None, bad: int) -> Interval:
    hits = _hits(offered, bad)
    low, high = rate_interval(hits, offered)
    if in_baseline is not None and gate.relative_to_baseline:
        total = max(1.0, float(offered.sum()))
        return quotient_interval(float(hits.sum()) / total, (low, high), 1.0, rate_interval(in_baseline, in_baseline))
    counts_bad = OPERATORS[gate.op].limit == "maximum"
    return (1 - high, 1 - low) if counts_bad else (low, high)


def _lost(offered: FloatArray, in_baseline: FloatArray, bad: int) -> Interval:
    hits = _hits(offered, bad)
    ends = rate_interval(hits, offered), rate_interval(in_baseline, in_baseline)
    low, high = quotient_interval(float(hits.sum()) / max(1.0, float(offered.sum())), ends[0], 1.0, ends[1])
    return 1 - high, 1 - low


def _repeats(offered: FloatArray, usual: float, bad: int) -> Interval:
    """The interval of a ratio when so many calls are repeated or wasted."""
    if bad == 0:
        return rare_events_interval(0, 1 / max(1.0, _worst(offered)), usual)
    if bad < FEW:
        return rare_events_interval(bad, 1 / max(1.0, float(offered.sum())), usual)
    low, high = rate_interval(offered - _hits(offered, bad), offered)
    return usual + low, usual + high


def _worst(offered: FloatArray) -> float:
    return float(offered.sum()) / max(1.0, worst_effect(offered))


def _judged(gate: Gate, offered: FloatArray, interval: Callable[[int], Interval]) -> Decidability:
    """`interval`: of the value when so many calls are bad."""
    best = interval(0)
    most = max(1, round(ROOM * float(offered.sum())))
    ends = [interval(bad) for bad in {*range(min(most, FEW) + 1), most}]  # from `FEW` on it only grows
    with_bad = min(low for low, _ in ends), max(high for _, high in ends)
    return Decidability(_worst(offered), best, with_bad, _decides(gate, best), _decides(gate, with_bad))


def _decides(gate: Gate, interval: Interval) -> bool:
    """Whether the gate is decided by an interval around the best value: wholly on one side of its limit."""
    operator = OPERATORS[gate.op]
    if operator.limit in ("equal", "unequal"):
        return not interval[0] <= gate.value <= interval[1] or interval[0] == interval[1]
    return len({operator.holds(end, gate.value) for end in interval}) == 1
