"""Whether a change of a measure is worse or better."""

from __future__ import annotations

from typing import Literal

from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import Better

__all__ = ["Better", "better_of", "judged_change"]


def better_of(measure: str) -> Better:
    """The good direction of a measure, `goodput` or `ttft.p95`; of one that is not known here, `neither`."""
    bare, _, stat = measure.partition(".")
    spec = CATALOGUE.get(bare)
    return spec.better_of(stat) if spec is not None else "neither"


def judged_change(better: Better, before: float, after: float) -> Literal["worse", "better", "changed"]:
    """What a change of level means."""
    if better == "neither" or before == after:
        return "changed"
    return "better" if (after > before) == (better == "higher") else "worse"
