"""The runs of one experiment of a gate so far, and what they say together. Nothing is played or written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from brownout.result import Comparison, ExperimentResult, Verdict
from chaos.cli.gate.plan import ExperimentPlan, planned_conditions
from reports.comparison.chance import MIN_PAIRS
from reports.comparison.conditions import conditions_of, mismatches
from reports.gating.baseline import check_applies
from reports.gating.looks import MOST_LOOKS, Look, level_of, look
from reports.gating.outcome import Concluded, experiment_result
from reports.gating.regressions import compare_sides
from reports.gating.repeated import judge_over_runs
from reports.gating.run_values import RunValues, pairs_by_seed, run_values

__all__ = ["INTERRUPTED", "Series"]

INTERRUPTED: Final = 130
_BROKEN: Final = 5
_JUDGED: Final = (0, 1, 3)
"""Exit codes of runs that ended by themselves."""
_USUAL_LEVEL: Final = 0.95


@dataclass
class Series:
    """`runs`: as they were played, also those that were played again. `looks`: how often they were judged, with
    `until_decided`. `ended`: why no further run is played, "" while one may be; `last`: nor one of another experiment.
    `problems`: further reasons of the verdict.
    """

    plan: ExperimentPlan
    runs: list[Concluded] = field(default_factory=list)
    looks: int = 0
    ended: str = ""
    last: bool = False
    problems: dict[Verdict, list[str]] = field(default_factory=dict)
    _found: Look | None = None

    def add(self, run: Concluded, *, last: bool) -> None:
        """A run was played. `last`: none may follow, because it was interrupted or left a fault."""
        self.runs.append(run)
        if last:
            self.last = True
            self.end("it was interrupted" if run.run.exit_code == INTERRUPTED else "the last run left a fault")
        elif run.run.exit_code == _BROKEN:
            self.end("the last run failed: see its reasons")

    def end(self, reason: str) -> None:
        """No further run is played; the first reason stays."""
        self.ended = self.ended or reason

    def cut(self, reason: str) -> None:
        """The time is over; "": it is not. Fewer runs than were asked for cannot pass, but may have failed."""
        if self.ended or not reason:
            return
        seeds = len({one.run.seed for one in self.runs})
        if not self.runs:
            self.problems.setdefault("inconclusive", []).append(f"not played: {reason}")
        elif not self.plan.until_decided:
            count = f"{seeds} of {len(self.plan.seeds)}"
            self.problems.setdefault("inconclusive", []).append(f"only {count} seeds were played: {reason}")
        self.end(reason)

    def fail(self, reason: str) -> None:
        """A run could not be played or recorded."""
        self.problems.setdefault("failed", []).append(reason)
        self.end(f"a run could not be played: {reason}")

    def look(self) -> None:
        """Judge the runs, of which every seed is complete; ends a series of `until_decided` that is decided, and one
        that turned out not to compare with its base.
        """
        if self.plan.compared and (problems := _not_comparable(self.plan, self.runs)):
            self.end(f"the runs do not compare with {self.plan.base_label}: {problems[0]}")
        seeds = len({one.run.seed for one in self.runs})
        reports = self._reports()
        if self.ended or not self.plan.until_decided or not reports or (self.plan.compared and seeds < MIN_PAIRS):
            return
        self.looks += 1
        self._found = look(reports, self.looks, self._most_looks)
        result = self.result()
        undecided = result.comparison is not None and result.comparison.verdict == "inconclusive"
        count = f"{len(self.runs)} run{'' if len(self.runs) == 1 else 's'}"
        if result.verdict in ("fail", "aborted") or (self._found.decided and not undecided):
            reason = self._found.why_stop or (result.why[0] if result.why else "every gate is decided")
            self.end(f"decided after {count}: {reason}")
        elif self._found.why_stop and not self._found.decided:
            self.end(f"ended after {count}: {self._found.why_stop}")
        elif self.looks >= self._most_looks:
            self.end(f"ended after {count}: all {self._most_looks} looks were used")

    @property
    def _most_looks(self) -> int:
        """How many looks are possible: one after each seed, with a base only from the fewest pairs on."""
        first = MIN_PAIRS if self.plan.compared else 1
        return max(1, min(MOST_LOOKS, len(self.plan.seeds) - first + 1))

    def result(self, duration_s: float = 0.0) -> ExperimentResult:
        """What the runs say. `duration_s`: since the first one began; 0: the sum of theirs."""
        plan, reports = self.plan, self._reports()
        if plan.until_decided and self._found is not None:
            gates = self._found.gates
        else:
            gates = judge_over_runs(reports) if reports else ()
        return experiment_result(
            plan.head.name,
            plan.head.title,
            self.runs,
            target=planned_conditions(plan.head).target,
            gates=gates,
            comparison=self._comparison(),
            duration_s=round(duration_s, 3),
            looks=max(1, self.looks),
            stopped=self.ended,
            own_verdict=len(plan.seeds) == 1 and not plan.until_decided,
            more=self.problems,
        )

    def _reports(self) -> list[Mapping[str, Any]]:
        """The reports of the head, of each seed the last attempt that ended by itself; without one, any."""
        head = [one for one in self.runs if one.run.side == "head" and one.report is not None]
        ended = {one.run.seed: one for one in head if one.run.exit_code in _JUDGED}
        return [one.report for one in ended.values() or head[:1] if one.report is not None]

    def _comparison(self) -> Comparison | None:
        plan = self.plan
        if not plan.compared:
            return None
        source: Literal["baseline", "interleaved"] = "baseline" if plan.baseline is not None else "interleaved"
        if problems := _not_comparable(plan, self.runs):
            note = "; ".join(problems)
            return Comparison(plan.base_label, source, 0, (), "inconclusive", (note,), note=note)
        base = plan.baseline.runs if plan.baseline is not None else _values(self.runs, "base")
        pairs = {pair[0].seed: pair for pair in reversed(pairs_by_seed(_values(self.runs, "head"), base))}
        ordered = [pairs[seed] for seed in plan.seeds if seed in pairs]
        level = level_of(self._most_looks) if plan.until_decided else _USUAL_LEVEL
        return compare_sides(ordered, plan.tolerances, base=plan.base_label, source=source, level=level)


def _values(runs: Iterable[Concluded], side: str) -> list[RunValues]:
    reports = [one.report for one in runs if one.run.side == side and one.run.exit_code in _JUDGED]
    return [run_values(report) for report in reports if report is not None]


def _not_comparable(plan: ExperimentPlan, runs: Iterable[Concluded]) -> list[str]:
    """Why the runs do not compare with the base: they turned out to have other conditions than the plan has."""
    reports = [one.report for one in runs if one.report is not None and one.run.sound]
    conditions = [conditions_of(report["run"], report["phases"]) for report in reports]
    if plan.baseline is None:
        return mismatches(conditions) if conditions else []
    machines = [str(report["run"].get("machine") or "") for report in reports]
    found = [check_applies(plan.baseline, *one) for one in zip(conditions, machines, strict=True)]
    return list(dict.fromkeys(problem for problems in found for problem in problems))
