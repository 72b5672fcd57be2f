"""Plays the runs of a gate, judges after each, and keeps the result written: what a killed gate found is not lost.

    GatePlay(output, request, plans, folder, command).play() -> Result

Runs are never played at the same time. A run that was interrupted, or that left a fault, is the last one of the gate;
one whose target failed is the last of its experiment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from rich.text import Text

from brownout.result import Comparison, ExperimentResult, Result
from chaos.cli.gate.files import write_files
from chaos.cli.gate.plan import ExperimentPlan, Turn, planned_conditions, run_s
from chaos.cli.gate.request import DEFAULT_WITHIN_S, GateRequest
from chaos.cli.gate.show import experiment_renderable
from chaos.cli.gate.sides import run_command
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun
from chaos.cli.retry_inconclusive import play_series
from chaos.experiment.model import Experiment
from reports.comparison.chance import MIN_PAIRS
from reports.comparison.conditions import conditions_of, mismatches
from reports.gating.baseline import check_applies
from reports.gating.looks import LEVEL, MOST_LOOKS, Look, look
from reports.gating.outcome import Concluded, concluded, experiment_result, overall
from reports.gating.regressions import compare_sides
from reports.gating.repeated import judge_over_runs
from reports.gating.run_values import RunValues, pairs_by_seed, run_values
from reports.gating.soundness import is_sound
from reports.shared.machine import machine_text, this_machine
from reports.shared.units import duration_text

__all__ = ["GatePlay"]

INTERRUPTED: Final = 130
_BROKEN: Final = 5
_JUDGED: Final = (0, 1, 3)
"""Exit codes of runs that ended by themselves."""
_GOING_ON: Final = "the gate has not ended: it is going on, or its process was killed"


class PlayRuns(Protocol):
    """See `chaos.cli.retry_inconclusive.play_series`."""

    def __call__(self, output: Output, experiment: Experiment, *, retries: int, command: str) -> list[PlayedRun]: ...


@dataclass
class _Played:
    """The runs of one experiment so far, and what they say."""

    plan: ExperimentPlan
    began_s: float
    runs: list[Concluded] = field(default_factory=list)
    looks: int = 0
    stopped: str = ""
    result: ExperimentResult | None = None


class GatePlay:
    """One gate. `folder`: for its files; `command`: as typed; `clock`: seconds, of what `--within` limits.

    `play_runs`: plays an experiment, and again where the machine was in doubt (`play_series`).
    """

    def __init__(
        self,
        output: Output,
        request: GateRequest,
        plans: Sequence[ExperimentPlan],
        folder: Path,
        command: str,
        clock: Callable[[], float] = time.monotonic,
        play_runs: PlayRuns = play_series,
    ) -> None:
        self._output = output
        self._request = request
        self._plans = list(plans)
        self._folder = folder
        self._command = command
        self._clock = clock
        self._play_runs = play_runs
        self._began_s = clock()
        self._started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        within_s = request.within_s if request.within_s is not None else DEFAULT_WITHIN_S
        self._limit_s = within_s if request.within_s is not None or request.until_decided else None
        self._results: list[ExperimentResult] = []

    def play(self) -> Result:
        """Play every experiment. The result is written in any case; Ctrl-C ends it early."""
        ended = ""
        write_files(self._result(_GOING_ON), self._folder)
        for number, plan in enumerate(self._plans):
            played = _Played(plan, self._clock())
            try:
                self._play_one(played, self._plans[number + 1 :])
            except KeyboardInterrupt:
                ended = "interrupted by the user"
                self._judge(played)
            if played.result is not None:
                self._results.append(played.result)
            last = ended or any(one.run.exit_code == INTERRUPTED for one in played.runs)
            if last or "left a fault" in played.stopped:
                break
            write_files(self._result(_GOING_ON), self._folder)
        result = self._result(ended)
        write_files(result, self._folder)
        return result

    def _result(self, ended: str, *more: ExperimentResult) -> Result:
        return overall(
            [*self._results, *more],
            started_at=self._started_at,
            duration_s=round(self._clock() - self._began_s, 3),
            command=self._command,
            version=version("brownout"),
            machine=machine_text(*this_machine()),
            folder=self._folder,
            ended=ended,
        )

    # -- one experiment ---------------------------------------------------------------------------------------------
    def _play_one(self, played: _Played, later: Sequence[ExperimentPlan]) -> None:
        plan = played.plan
        turns = list(plan.turns())
        for number, turn in enumerate(turns, start=1):
            if (why := self._no_time(played, later)) and number > 1:
                played.stopped = why
                break
            self._heading(plan, turn, number, len(turns))
            self._play_turn(played, turn)
            if played.stopped:
                break
            complete = number == len(turns) or turn.seed != turns[number].seed
            if complete:
                self._look(played)
                if plan.until_decided and played.stopped:
                    break
        self._judge(played)
        self._show(played)

    def _heading(self, plan: ExperimentPlan, turn: Turn, number: int, turns: int) -> None:
        if turns == 1:
            text = plan.head.name
        else:
            at_most = " at most" if plan.until_decided else ""
            side = f", {plan.base_label if turn.side == 'base' else 'head'}" if plan.base is not None else ""
            text = f"{plan.head.name}: run {number} of{at_most} {turns}{side}, seed {turn.seed}"
        self._output.console.print(Text(text, style="bold"))

    def _play_turn(self, played: _Played, turn: Turn) -> None:
        plan = played.plan
        experiment = plan.of(turn)
        side = plan.base_side if turn.side == "base" else plan.head_side
        command = run_command(experiment, plan.name, side, short=self._request.short)
        suffix = "-base" if turn.side == "base" else ""
        output = replace(self._output, out=self._folder / "runs", single=False, suffix=suffix)
        runs = self._play_runs(output, experiment, retries=self._request.retries, command=command)
        played.runs += [self._concluded(run, turn, command) for run in runs]
        last = runs[-1]
        self._output.console.print()
        if last.exit_code == INTERRUPTED:
            played.stopped = "interrupted"
        elif last.last:
            played.stopped = "the last run left a fault"
        elif last.exit_code == _BROKEN:
            played.stopped = "the last run failed"

    def _concluded(self, run: PlayedRun, turn: Turn, command: str) -> Concluded:
        return concluded(
            run.folder,
            run.report,
            side=turn.side,
            seed=turn.seed,
            verdict=run.verdict,
            exit_code=run.exit_code,
            command=command,
            below=self._folder,
        )

    def _no_time(self, played: _Played, later: Sequence[ExperimentPlan]) -> str:
        """Why no further run of this experiment may begin; "" where one may."""
        if self._limit_s is None:
            return ""
        took = [one.run.duration_s for one in played.runs if one.run.duration_s]
        next_s = max([run_s(played.plan.head), *took])
        kept_s = sum(plan.least_s for plan in later)
        spent_s = self._clock() - self._began_s
        if spent_s + next_s + kept_s <= self._limit_s:
            return ""
        return (
            f"the time of {duration_text(self._limit_s)} (--within) allows no further run of about "
            f"{duration_text(round(next_s))}"
        )

    # -- judging ----------------------------------------------------------------------------------------------------
    def _look(self, played: _Played) -> None:
        """Judge what was played so far, and with `until_decided` end the experiment once that is enough."""
        plan = played.plan
        seeds = len({one.run.seed for one in played.runs})
        if not plan.until_decided or (plan.compared and seeds < MIN_PAIRS):
            self._judge(played)
            return
        played.looks += 1
        found = self._judge(played)
        result = played.result
        if found is None or result is None:
            return
        comparison = result.comparison
        compared = comparison is None or comparison.verdict != "inconclusive"
        if result.verdict in ("fail", "aborted") or (found.decided and compared):
            reason = found.why_stop or (result.why[0] if result.why else "every gate is decided")
            played.stopped = f"decided after {_runs(len(played.runs))}: {reason}"
        elif found.why_stop and not found.decided:
            played.stopped = f"no more runs: {found.why_stop}"
        elif played.looks >= MOST_LOOKS:
            played.stopped = f"no more runs: all {MOST_LOOKS} looks were used"

    def _judge(self, played: _Played) -> Look | None:
        """Judge the runs so far, and write the result. Returns what the last look found, if there was one."""
        plan = played.plan
        reports = self._reports(played)
        found = look(reports, played.looks) if reports and plan.until_decided and played.looks else None
        gates = found.gates if found is not None else judge_over_runs(reports) if reports else ()
        played.result = experiment_result(
            plan.head.name,
            plan.head.title,
            played.runs,
            target=planned_conditions(plan.head).target,
            gates=gates,
            comparison=self._comparison(played, LEVEL if plan.until_decided else 0.95),
            duration_s=round(self._clock() - played.began_s, 3),
            looks=max(1, played.looks),
            stopped=played.stopped,
            own_verdict=not plan.until_decided,
        )
        write_files(self._result(_GOING_ON, played.result), self._folder)
        return found

    def _reports(self, played: _Played) -> list[Mapping[str, Any]]:
        """The reports of the head. Of a run that did not end by itself, only where it is the only one."""
        head = [one for one in played.runs if one.run.side == "head" and one.report is not None]
        ended = [one for one in head if one.run.exit_code in _JUDGED] or head[:1]
        return [one.report for one in ended if one.report is not None]

    def _comparison(self, played: _Played, level: float) -> Comparison | None:
        plan, runs = played.plan, played.runs
        if not plan.compared:
            return None
        source: Literal["baseline", "interleaved"] = "baseline" if plan.baseline is not None else "interleaved"
        base = plan.baseline.runs if plan.baseline is not None else _values(runs, "base")
        if problems := _not_comparable(plan, runs):
            note = "; ".join(problems)
            return Comparison(plan.base_label, source, 0, (), "inconclusive", (note,), note=note)
        pairs = {pair[0].seed: pair for pair in reversed(pairs_by_seed(_values(runs, "head"), base))}
        ordered = [pairs[seed] for seed in plan.seeds if seed in pairs]
        return compare_sides(ordered, plan.tolerances, base=plan.base_label, source=source, level=level)

    def _show(self, played: _Played) -> None:
        if played.result is not None and (len(played.runs) > 1 or played.result.comparison is not None):
            self._output.console.print(experiment_renderable(played.result))
            self._output.console.print()


def _values(runs: Iterable[Concluded], side: str) -> list[RunValues]:
    reports = [one.report for one in runs if one.run.side == side and one.run.exit_code in _JUDGED]
    return [run_values(report, is_sound=is_sound) for report in reports if report is not None]


def _not_comparable(plan: ExperimentPlan, runs: Iterable[Concluded]) -> list[str]:
    """Why the runs do not compare with the base: they turned out to have other conditions than the plan has."""
    reports = [one.report for one in runs if one.report is not None and one.run.sound]
    conditions = [conditions_of(report["run"], report["phases"]) for report in reports]
    if plan.baseline is None:
        return mismatches(conditions)
    machines = [str(report["run"].get("machine") or "") for report in reports]
    found = [check_applies(plan.baseline, *one) for one in zip(conditions, machines, strict=True)]
    return list(dict.fromkeys(problem for problems in found for problem in problems))


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"
