"""Whether more of a measure is better. By its name; for measures that no list names, lower is better."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["Better", "better_of", "judged_change"]

Better = Literal["lower", "higher", "neither"]

_HIGHER: Final = frozenset(
    {
        "calls_ok",
        "failover_rate",
        "fairness",
        "goodput",
        "knee",
        "retry_after_honoured",
        "session_success",
        "slo_attainment",
    }
)
_NEITHER: Final = frozenset({"calls", "kv_peak", "migrations", "sessions"})
"""They say how much was done, not how well."""


def better_of(measure: str) -> Better:
    """The good direction of a measure, `goodput` or `ttft.p95`."""
    if measure == "knee.cost_per_1k_sessions":
        return "lower"
    bare = measure.partition(".")[0]
    return "neither" if bare in _NEITHER else "higher" if bare in _HIGHER else "lower"


def judged_change(better: Better, before: float, after: float) -> Literal["worse", "better", "changed"]:
    """What a change of level means."""
    if better == "neither" or before == after:
        return "changed"
    return "better" if (after > before) == (better == "higher") else "worse"
