"""Guardrails that can never stop a run, or that stop every run, and the same guardrail twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from chaos.experiment.draft import Draft
from chaos.experiment.guardrails import COMPARISONS, MEASURES, Guardrail
from reports.measures.value_range import ValueRange
from reports.shared.documents import duration_text
from reports.shared.errors import Problem

__all__ = ["check_guardrails"]


def check_guardrails(made: Draft) -> Iterator[Problem]:
    """Every error in the guardrails as conditions: each by itself, and each pair."""
    say, line = made.document.problem, made.document.line
    longest_s = made.load_s
    for path, guardrail in made.guardrails:
        trips = [_trips(guardrail, value) for value in _range(guardrail).samples([guardrail.value])]
        if not any(trips) or all(trips):
            how_often = "every" if any(trips) else "no"
            what = f'"{guardrail.text}" stops {how_often} run: {guardrail.measure} is {_range_text(guardrail)}'
            yield say(path, what, f"compare {guardrail.measure} with a value that it can have and can miss")
        if longest_s is not None and guardrail.window_s > longest_s:
            lasts, load = duration_text(guardrail.window_s), duration_text(longest_s)
            what = f'"{guardrail.text}" stops no run: it waits for {lasts}, and the load lasts {load}'
            yield say(path, what, f"watch for less than {load}")
    for (first, one), (second, other) in combinations(made.guardrails, 2):
        if _same(one, other):
            what = f'"{other.text}" is the same guardrail as "{one.text}" on line {line(first)}'
            yield say(second, what, "remove one")


def _trips(guardrail: Guardrail, value: float) -> bool:
    return COMPARISONS[guardrail.op](value, guardrail.value)


def _range(guardrail: Guardrail) -> ValueRange:
    return MEASURES[guardrail.measure].values


def _range_text(guardrail: Guardrail) -> str:
    values = _range(guardrail)
    if values.high == 1:
        return "between 0% and 100%"
    return "always above 0" if values.above else "at least 0"


def _same(one: Guardrail, other: Guardrail) -> bool:
    """Whether they trip at the same values for the same time."""
    if (one.measure, one.window_s) != (other.measure, other.window_s):
        return False
    return all(_trips(one, value) == _trips(other, value) for value in _range(one).samples([one.value, other.value]))
