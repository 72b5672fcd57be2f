"""`--until-decided`: after each run a look, until the verdict is certain or ten runs were played.

Looking again and again is paid for: the 5 % of wrong verdicts that a gate may have are split over all looks that are
possible, at most ten (Bonferroni), so each of ten judges at 99.5 %. Whatever the runs are, at most 5 % of the series
then end with a wrong verdict of a gate on a share or a time. Such a gate needs at least two runs: one run does not say
how far runs differ.

A count that failed in a run that may judge it is decided for good. The series ends early where a gate can never be
decided: it would use up the time for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from brownout.result import GateResult
from reports.gating.repeated import JudgedGate, judged_gates
from reports.gating.soundness import Report, failed_outright, is_sound, unsound_because

__all__ = ["ALPHA", "MOST_LOOKS", "Look", "level_of", "look"]

ALPHA: Final = 0.05
"""Share of series that may end with a wrong verdict of a gate on a share or a time."""
MOST_LOOKS: Final = 10
ENOUGH: Final = 3
"""Runs that must agree before a gate is given up: what one run lacks, the next may have."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was known after a run. `decided`: the verdict of the experiment will not change any more.

    `why_stop`: why no further run is played; "" to go on. `gates`: as of `judge_over_runs`.
    """

    gates: tuple[GateResult, ...]
    decided: bool
    why_stop: str


def level_of(most: int) -> float:
    """Of the intervals of each of `most` looks."""
    return 1 - ALPHA / most


def look(reports: Sequence[Report], number: int, most: int = MOST_LOOKS) -> Look:
    """Judge the runs that were played so far. `number`: of this look, from 1 to `most`, which is at most `MOST_LOOKS`.

    Raises ValueError without reports, and for other numbers.
    """
    if not 1 <= number <= most <= MOST_LOOKS:
        raise ValueError(f"look {number} of {most}: there are at most {MOST_LOOKS}")
    level = level_of(most)
    gates = judged_gates(reports, level, alone=False)
    decided = _decided(reports, gates)
    why_stop = decided or _given_up(reports, gates)
    if not why_stop and number == most:
        why_stop = f"all {most} looks were used"
    spent = f" (look {number} of at most {most}, each at {level:.1%})"
    return Look(tuple(replace(one.result, why=one.result.why + spent) for one in gates), bool(decided), why_stop)


def _decided(reports: Sequence[Report], gates: Sequence[JudgedGate]) -> str:
    """Why the verdict of the experiment is certain; "" while it is not."""
    for number, report in enumerate(reports, 1):
        if reason := failed_outright(report):
            return f"run {number} failed: {reason}"
    failed = [one.result.text for one in gates if one.judged == "fail"]
    if failed:
        return f"a gate failed: {failed[0]}"
    if not gates or any(one.judged == "inconclusive" and not _settled(one, len(reports)) for one in gates):
        return ""
    return "every gate is decided"


def _settled(gate: JudgedGate, runs: int) -> bool:
    """Whether a gate that is undecided will stay so, and `on_inconclusive` says what that means."""
    return gate.overridden and _is_stuck(gate, runs)


def _is_stuck(gate: JudgedGate, runs: int) -> bool:
    return bool(gate.stuck) and (gate.final or runs >= ENOUGH)


def _given_up(reports: Sequence[Report], gates: Sequence[JudgedGate]) -> str:
    """Why no number of further runs can decide the experiment; "" while one may."""
    if len(reports) >= ENOUGH and not any(is_sound(report) for report in reports):
        return f"none of the first {len(reports)} runs counts: {unsound_because(reports[0])[0]}"
    stuck = [one for one in gates if one.judged == "inconclusive" and not one.overridden]
    found = next((one for one in stuck if _is_stuck(one, len(reports))), None)
    return "" if found is None else f"{found.result.text} cannot be decided by more runs: {found.stuck}"
