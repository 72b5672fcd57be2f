"""The options of `brownout gate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports.shared.errors import UserError
from reports.shared.units import Mistake, duration_s

__all__ = ["DEFAULT_WITHIN_S", "USUAL_PAIRS", "GateRequest", "within_s"]

USUAL_PAIRS = 6
"""Of a comparison: the fewest that tell "never in any run" from "in every run" among ten judged measures."""

DEFAULT_WITHIN_S = 20 * 60.0
"""Of `--until-decided`."""


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What a gate plays, and how often.

    `stack`, `gateway`, `target`, `seed`: instead of the experiments' own. `repeat`: number of runs; None: one, six
    where sides are compared, or what `until_decided` needs. `until_decided`: as many runs as are needed, at most
    `repeat` or ten. `within_s`: the time for all experiments, None without a limit. `baseline`, `against`: what the
    runs are compared with. `tolerances`: as typed. `retries`: of each run that the machine left inconclusive. `scale`:
    a factor or `auto`, as typed.
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

    @property
    def limit_s(self) -> float | None:
        """The time for the whole gate, seconds; None without a limit."""
        if self.within_s is not None:
            return self.within_s
        return DEFAULT_WITHIN_S if self.until_decided else None


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
