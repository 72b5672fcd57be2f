"""Judges what people believed against what was so when they said it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

__all__ = ["RIGHT", "VERDICTS", "Truth", "Verdict", "judge"]

Verdict = Literal["right", "cause", "component", "wrong", "no fault"]

RIGHT: Final[Verdict] = "right"

VERDICTS: Final[dict[Verdict, str]] = {
    "right": "right",
    "cause": "right cause, wrong component",
    "component": "right component, wrong cause",
    "wrong": "wrong",
    "no fault": "no fault was active",
}
"""What each verdict means, as people read it."""


class Truth(NamedTuple):
    """What is so while a fault is active. `components`: every id that is right for it."""

    cause: str
    components: tuple[str, ...]


def judge(cause: str, component: str, truths: Iterable[Truth]) -> Verdict:
    """The verdict on a belief. `truths`: of the faults that were active when it was said; the best match counts."""
    active = list(truths)
    if not active:
        return "no fault"
    if any(cause == truth.cause and component in truth.components for truth in active):
        return "right"
    if any(cause == truth.cause for truth in active):
        return "cause"
    if any(component in truth.components for truth in active):
        return "component"
    return "wrong"
