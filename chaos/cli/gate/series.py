"""The runs of one experiment of a gate so far, and what they say together. Nothing is played or written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from brownout.result import Comparison, ExperimentResult
from chaos.cli.gate.plan import ExperimentPlan, planned_conditions
from reports.comparison.chance import MIN_PAIRS
from reports.comparison.conditions import conditions_of, mismatches
from reports.gating.baseline import check_applies
from reports.gating.looks import LEVEL, MOST_LOOKS, Look, look
from reports.gating.outcome import Concluded, experiment_result
from reports.gating.regressions import compare_sides
from reports.gating.repeated import judge_over_runs
from reports.gating.run_values import RunValues, pairs_by_seed, run_values
from reports.gating.soundness import is_sound

__all__ = ["Series"]

_JUDGED: Final = (0, 1, 3)
"""Exit codes of runs that ended by themselves."""
_USUAL_LEVEL: Final = 0.95


@dataclass
class Series:
    """`runs`: as they were played. `looks`: how often they were judged, with `until_decided`. `stopped`: why no further
    run is played, "" while one may be. `last`: no run of another experiment may follow either.
    """

    plan: ExperimentPlan
    runs: list[Concluded] = field(default_factory=list)
    looks: int = 0
    stopped: str = ""
    last: bool = False
    _found: Look | None = None

    def look(self) -> None:
        """Judge the runs, of which every seed is complete; ends a series of `until_decided` that is decided."""
        seeds = len({one.run.seed for one in self.runs})
        reports = self._reports()
        if not self.plan.until_decided or (self.plan.compared and seeds < MIN_PAIRS) or not reports:
            return
        self.looks += 1
        self._found = look(reports, self.looks)
        result = self.result()
        undecided = result.comparison is not None and result.comparison.verdict == "inconclusive"
        count = f"{len(self.runs)} run{'' if len(self.runs) == 1 else 's'}"
        if result.verdict in ("fail", "aborted") or (self._found.decided and not undecided):
            reason = self._found.why_stop or (result.why[0] if result.why else "every gate is decided")
            self.stopped = f"decided after {count}: {reason}"
        elif self._found.why_stop and not self._found.decided:
            self.stopped = f"ended after {count}: {self._found.why_stop}"
        elif self.looks >= MOST_LOOKS:
            self.stopped = f"ended after {count}: all {MOST_LOOKS} looks were used"

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
            stopped=self.stopped,
            own_verdict=not plan.until_decided,
        )

    def _reports(self) -> list[Mapping[str, Any]]:
        """The reports of the head. Of a run that did not end by itself, only where it is the only one."""
        head = [one for one in self.runs if one.run.side == "head" and one.report is not None]
        ended = [one for one in head if one.run.exit_code in _JUDGED] or head[:1]
        return [one.report for one in ended if one.report is not None]

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
        level = LEVEL if plan.until_decided else _USUAL_LEVEL
        return compare_sides(ordered, plan.tolerances, base=plan.base_label, source=source, level=level)


def _values(runs: Iterable[Concluded], side: str) -> list[RunValues]:
    reports = [one.report for one in runs if one.run.side == side and one.run.exit_code in _JUDGED]
    return [run_values(report, is_sound=is_sound) for report in reports if report is not None]


def _not_comparable(plan: ExperimentPlan, runs: Iterable[Concluded]) -> list[str]:
    """Why the runs do not compare with the base: they turned out to have other conditions than the plan has."""
    reports = [one.report for one in runs if one.report is not None and one.run.sound]
    conditions = [conditions_of(report["run"], report["phases"]) for report in reports]
    if plan.baseline is None:
        return mismatches(conditions) if conditions else []
    machines = [str(report["run"].get("machine") or "") for report in reports]
    found = [check_applies(plan.baseline, *one) for one in zip(conditions, machines, strict=True)]
    return list(dict.fromkeys(problem for problems in found for problem in problems))
