"""Gates that decide nothing, whatever the run does: they cannot fail, cannot pass, or repeat or exclude each other.

`check_gates` finds errors. `redundant_gates` finds gates that decide something and still deserve a warning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from chaos.experiment.draft import Draft
from reports.gates.grammar import Gate
from reports.gates.operators import OPERATORS
from reports.gates.reach import contradict, implies, is_estimate, range_of, reach, same
from reports.measures.value_range import ValueRange
from reports.shared.document import Where
from reports.shared.errors import Problem
from reports.shared.wording import value_text

__all__ = ["GateWarning", "check_gates", "redundant_gates"]

Placed: TypeAlias = tuple[Where, Gate]
"""A gate and its place in the file."""

_COUNT_OF = {"session_success": "sessions_lost", "error_rate": "calls_failed"}
"""For a rate, the count that is 0 where the rate is perfect."""


@dataclass(frozen=True, slots=True)
class GateWarning:
    """What a user should know about one gate of a valid experiment. `steady_state`: the list that it is in."""

    gate: Gate
    steady_state: bool
    problem: Problem


def check_gates(made: Draft) -> Iterator[Problem]:
    """Every error in the gates as conditions: each by itself, and each pair. `steady_state` is a list of its own."""
    for gates in (made.gates, made.steady_state):
        sound = []
        for path, gate in gates:
            problems = list(_check_reach(made, path, gate))
            yield from problems
            if not problems:
                sound.append((path, gate))
        yield from _check_pairs(made, sound)


def redundant_gates(made: Draft) -> Iterator[GateWarning]:
    """Gates that another gate makes superfluous, and gates that a healthy stack leaves undecided."""
    for gates in (made.gates, made.steady_state):
        for path, gate in gates:
            problem = next(_check_alone(made, path, gate), None) or next(_implied(made, path, gate, gates), None)
            if problem is not None:
                yield GateWarning(gate, gates is made.steady_state, problem)


def _check_reach(made: Draft, path: Where, gate: Gate) -> Iterator[Problem]:
    values = _range_here(made, gate)
    found = reach(gate, values)
    if found.can_pass and found.can_fail:
        return
    never = "pass" if not found.can_pass else "fail"
    yield made.document.problem(path, f'"{gate.text}" can never {never}: {_why(gate, values)}', _remedy(gate, never))


def _range_here(made: Draft, gate: Gate) -> ValueRange:
    """The range of its measure, narrowed by the number of tenants of this load."""
    if gate.measure == "fairness" and gate.stat in ("", "entitled") and not gate.relative_to_baseline:
        return ValueRange(1 / max(2, len(made.tenants)), 1)
    return range_of(gate)


def _why(gate: Gate, values: ValueRange) -> str:
    """Why a gate that cannot pass or cannot fail is so."""
    bound = f"{gate.value:g} x baseline" if gate.relative_to_baseline else value_text(gate.value, gate.unit)
    if gate.value in values and OPERATORS[gate.op].limit in ("equal", "unequal"):
        if is_estimate(gate):
            return f"{gate.name} is an estimate, and its 95 % interval is wider than one value"
        return f"{gate.name} is measured, and it is never exactly {bound}"
    if is_estimate(gate) and (gate.value, gate.op) in ((values.low, "<="), (values.low, ">")):
        return f"{gate.name} is an estimate, and its 95 % interval always reaches above {bound}"
    if is_estimate(gate) and (gate.value, gate.op) in ((values.high, ">="), (values.high, "<")):
        return f"{gate.name} is an estimate, and its 95 % interval always reaches below {bound}"
    return f"{gate.name} is {_range_text(gate, values)}"


def _range_text(gate: Gate, values: ValueRange) -> str:
    low, high = value_text(values.low, gate.unit), value_text(values.high, gate.unit)
    if values.step and gate.value not in values and values.low <= gate.value <= values.high:
        return f"a multiple of {value_text(values.step, gate.unit)}"
    if math.isinf(values.low):
        return f"at most {high}"
    if math.isinf(values.high):
        return f"always above {low}" if values.above else f"at least {low}"
    return f"{low} or {high}" if values.high - values.low == values.step else f"between {low} and {high}"


def _remedy(gate: Gate, never: str) -> str:
    if OPERATORS[gate.op].limit in ("equal", "unequal") and gate.own_unit != "count":
        return f"write {gate.name} <= or >= a value"
    if never == "pass" and is_estimate(gate) and gate.value in range_of(gate):
        count = f"{_COUNT_OF[gate.measure]} == 0, or " if gate.measure in _COUNT_OF else ""
        return f"write {count}a value that leaves room for doubt"
    return f"compare {gate.name} with a value that it can have and can miss"


# -- two gates ------------------------------------------------------------------------------------------------------
def _check_pairs(made: Draft, gates: Sequence[Placed]) -> Iterator[Problem]:
    say, line = made.document.problem, made.document.line
    for (first, one), (second, other) in combinations(gates, 2):
        if same(one, other):
            yield say(second, f'"{other.text}" is the same gate as "{one.text}" on line {line(first)}', "remove one")
        elif contradict(one, other):
            what = f'"{other.text}" contradicts "{one.text}" on line {line(first)}: no run passes both'
            yield say(second, what, "remove one, or change its value")


def _implied(made: Draft, path: Where, gate: Gate, gates: Sequence[Placed]) -> Iterator[Problem]:
    for at, other in gates:
        if at != path and implies(other, gate):
            what = (
                f'"{gate.text}" adds nothing: it passes wherever "{other.text}" on line {made.document.line(at)} does'
            )
            yield made.document.problem(path, what, "remove it, or change its value")


def _check_alone(made: Draft, path: Where, gate: Gate) -> Iterator[Problem]:
    if gate.relative_to_baseline and gate.spec.zero_when_well:
        what = (
            f"{gate.name} is 0 in the baseline of a healthy stack, and 0 has no factor: the gate is inconclusive then"
        )
        yield made.document.problem(path, f'"{gate.text}": {what}', f"compare {gate.name} with a number")
    if gate.measure in ("metastable", "overloaded") and OPERATORS[gate.op].holds(1, gate.value):
        what = f"a run that is {gate.measure} ends with exit code 1, whatever its gates say"
        yield made.document.problem(path, f'"{gate.text}": {what}', f"write {gate.measure} == 0")
