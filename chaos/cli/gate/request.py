"""The options of `brownout gate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports.shared.errors import UserError
from reports.shared.units import Mistake, duration_s

__all__ = ["DEFAULT_WITHIN_S", "MAX_LOOKS", "GateRequest", "within_s"]

MAX_LOOKS = 10
"""Runs of `--until-decided`, each of which is looked at."""
DEFAULT_WITHIN_S = 20 * 60.0
"""Of `--until-decided`."""


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What a gate plays, and how often.

    `stack`, `gateway`, `target`, `seed`: instead of the experiments' own. `repeat`: number of runs; None: one, or five
    where sides are compared. `until_decided`: as many runs as are needed, at most `repeat` or ten. `within_s`: the time
    for all experiments, None without a limit. `baseline`, `against`: what the runs are compared with. `tolerances`: as
    typed. `retries`: of each run that the machine left inconclusive. `scale`: a factor or `auto`, as typed.
    """

    experiments: tuple[str, ...]
    stack: str | None = None
    gateway: str | None = None
    target: Path | None = None
    seed: int | None = None
    scale: str | None = None
    repeat: int | None = None
    until_decided: bool = False
    within_s: float | None = None
    baseline: Path | None = None
    against: str | None = None
    tolerances: tuple[str, ...] = ()
    retries: int = 0
    short: bool = False
    may_leave_loopback: bool = False
    allow_exec: bool = False
    allow_exposed: bool = False


def within_s(text: str | None) -> float | None:
    """The value of `--within`, seconds; None without it. Raises UserError."""
    if text is None:
        return None
    try:
        seconds = duration_s(text)
    except Mistake as error:
        raise UserError(f"--within {text}: {error}. Give a time such as 20m") from None
    if not seconds:
        raise UserError(f"--within {text}: no run takes no time. Give a time such as 20m")
    return seconds
