"""What a gate can become, and what gates say about each other: known before a run, by the range of the measure.

A gate *cannot fail* where every value of its measure satisfies it (`sessions_lost >= 0`), and *cannot pass* where none
does (`sessions_lost < 0`). An estimate is judged by its interval, which has a width: it cannot pass at the end of its
range (`session_success >= 100%`) or at a single value, and neither can a measured time (`ttft.p95 == 2 s`).

Pure. `chaos.experiment.gate_checks` reports what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from reports.gates.grammar import Gate
from reports.gates.operators import OPERATORS
from reports.measures.value_range import ValueRange
from reports.shared.phases import GATE_PHASES

__all__ = ["Reach", "contradict", "implies", "is_estimate", "range_of", "reach", "same"]

_FACTOR = ValueRange(0)
_FACTOR_OF_COUNTS = ValueRange(0, exact=True)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether some value of the measure lets the gate pass, and whether some value lets it fail."""

    can_pass: bool
    can_fail: bool


def is_estimate(gate: Gate) -> bool:
    """Whether it is judged by an interval that always has a width."""
    return gate.kind in ("rate", "ratio") or (gate.kind == "percentile" and gate.relative_to_baseline)


def range_of(gate: Gate) -> ValueRange:
    """The values that are compared with its bound: those of its measure, or factors of a baseline."""
    if not gate.relative_to_baseline:
        return gate.spec.range_of(gate.stat)
    return _FACTOR_OF_COUNTS if gate.own_unit == "count" else _FACTOR


def reach(gate: Gate, values: ValueRange | None = None) -> Reach:
    """What the gate can become. `values`: the range, where this experiment narrows it."""
    satisfied = [_holds(gate, value) for value in _samples((gate,), values or range_of(gate))]
    return Reach(any(satisfied), not all(satisfied))


def same(one: Gate, other: Gate) -> bool:
    """Whether two gates are satisfied by the same values of the same quantity: `97%` and `0.97`, `< 1` and `== 0`."""
    if not _same_quantity(one, other):
        return False
    return all(_holds(one, value) == _holds(other, value) for value in _samples((one, other), range_of(one)))


def implies(strict: Gate, weak: Gate) -> bool:
    """Whether `weak` is satisfied wherever `strict` is.

    Also where one covers a part of what the other covers, if the measure can only be less there: counts, and maxima.
    """
    pairs = _pairs(strict, weak)
    return bool(pairs) and all(_holds(weak, second) for first, second in pairs if _holds(strict, first))


def contradict(one: Gate, other: Gate) -> bool:
    """Whether no run can satisfy both."""
    pairs = _pairs(one, other)
    return bool(pairs) and not any(_holds(one, first) and _holds(other, second) for first, second in pairs)


def _holds(gate: Gate, value: float) -> bool:
    return OPERATORS[gate.op].holds(value, gate.value)


def _samples(gates: Iterable[Gate], values: ValueRange) -> list[float]:
    bounds = [gate.value for gate in gates]
    if any(is_estimate(gate) for gate in gates) and not values.step:
        return values.interior(bounds)
    return values.samples(bounds)


def _pairs(one: Gate, other: Gate) -> list[tuple[float, float]]:
    """The values that the two can have in one run; none where nothing is known about the two together."""
    if _same_quantity(one, other):
        return [(value, value) for value in _samples((one, other), range_of(one))]
    grows = (one.kind == "fact" and one.own_unit == "count") or one.stat == "max"
    comparable = one.name == other.name and not (one.relative_to_baseline or other.relative_to_baseline)
    if not (grows and comparable):
        return []
    pairs = product(_samples((one, other), range_of(one)), repeat=2)
    if _covers(one, other):
        return [(first, second) for first, second in pairs if second <= first]
    return [(first, second) for first, second in pairs if first <= second] if _covers(other, one) else []


def _same_quantity(one: Gate, other: Gate) -> bool:
    return (one.name, one.phase, one.where, one.relative_to_baseline) == (
        other.name,
        other.phase,
        other.where,
        other.relative_to_baseline,
    )


def _covers(whole: Gate, part: Gate) -> bool:
    """Whether everything that `part` counts is counted by `whole`."""
    phases = whole.phase == part.phase or (whole.phase is None and part.phase in GATE_PHASES)
    return phases and whole.where in (None, part.where)
