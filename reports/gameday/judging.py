"""Judges what people believed against what was so when they said it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

__all__ = ["RIGHT", "VERDICTS", "Truth", "Verdict", "judge"]

Verdict = Literal["right", "cause", "component", "wrong", "no fault"]

RIGHT: Final[Verdict] = "right"

VERDICTS: Final[dict[Verdict, str]] = {
    "right": "right",
    "cause": "right cause, wrong component",
    "component": "right component, wrong cause",
    "wrong": "wrong",
    "no fault": "no fault had been injected",
}
"""What each verdict means, as people read it."""


class _Truth(Protocol):
    @property
    def cause(self) -> str: ...

    @property
    def components(self) -> Sequence[str]: ...


class Truth(NamedTuple):
    """What is so while a fault is active. `components`: every id that is right for it."""

    cause: str
    components: tuple[str, ...]


def judge(cause: str, component: str, truths: Iterable[_Truth]) -> Verdict:
    """The verdict on a belief. `truths`: of the faults that it may be about; the best match counts."""
    found = list(truths)
    if not found:
        return "no fault"
    if any(cause == truth.cause and component in truth.components for truth in found):
        return "right"
    if any(cause == truth.cause for truth in found):
        return "cause"
    if any(component in truth.components for truth in found):
        return "component"
    return "wrong"
