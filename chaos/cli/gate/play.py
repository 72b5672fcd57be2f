"""Plays the runs of a gate, judges after each, and keeps the result written: what a killed gate found is not lost.

    GatePlay(output, request, plans, folder, command).play() -> Result

Runs are never played at the same time. A run that was interrupted, or that left a fault, is the last one of the gate;
one whose target failed is the last of its experiment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol

from rich.text import Text

from brownout.result import ExperimentResult, Result, Verdict
from chaos.cli.gate.budget import Budget
from chaos.cli.gate.files import rewrite_gate_json, write_files
from chaos.cli.gate.plan import ExperimentPlan, Turn, run_s
from chaos.cli.gate.request import GateRequest
from chaos.cli.gate.series import Series
from chaos.cli.gate.show import experiment_renderable
from chaos.cli.gate.sides import run_command
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun
from chaos.cli.retry_inconclusive import play_series
from chaos.experiment.model import Experiment
from reports.gating.outcome import Concluded, concluded, overall
from reports.shared.errors import BrownoutError, TargetFailed
from reports.shared.machine import machine_text, this_machine

__all__ = ["GatePlay"]

_BROKEN: Final = 5
_GOING_ON: Final = "the gate has not ended: it is going on, or its process was killed"


class PlayRuns(Protocol):
    """See `chaos.cli.retry_inconclusive.play_series`."""

    def __call__(
        self,
        output: Output,
        experiment: Experiment,
        *,
        retries: int,
        command: str,
        on_played: Callable[[PlayedRun], None],
    ) -> list[PlayedRun]: ...


class GatePlay:
    """One gate. `folder`: for its files; `command`: as typed; `budget`: its time, which has begun.

    `play_runs`: plays an experiment, and again where the machine was in doubt (`play_series`).
    """

    def __init__(
        self,
        output: Output,
        request: GateRequest,
        plans: Sequence[ExperimentPlan],
        folder: Path,
        command: str,
        budget: Budget | None = None,
        play_runs: PlayRuns = play_series,
    ) -> None:
        self._output = output
        self._request = request
        self._plans = list(plans)
        self._folder = folder
        self._command = command
        self._play_runs = play_runs
        self._budget = budget or Budget(request.limit_s)
        self._longest_s: dict[str, float] = {}
        """The longest run of each experiment so far, with its start and its analysis."""
        self._started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._results: list[ExperimentResult] = []

    def play(self) -> Result:
        """Play every experiment. Ctrl-C ends it early; a result that cannot be written is one that failed."""
        ended = ""
        not_played: list[str] = []
        self.begin()
        for number, plan in enumerate(self._plans):
            series, began_s = Series(plan), self._budget.spent_s
            later = self._plans[number + 1 :]
            try:
                self._play_series(series, first=number == 0, kept_s=sum(one.least_s for one in later))
                self._results.append(series.result(self._budget.spent_s - began_s))
                self._show(self._results[-1])
                self._keep(self._result(_GOING_ON))
            except KeyboardInterrupt:
                ended = "interrupted by the user"
                if series.runs and len(self._results) == number:
                    self._results.append(series.result(self._budget.spent_s - began_s))
            if ended or series.last:
                not_played = [one.head.name for one in self._plans[len(self._results) :]]
                break
        return self.finish(self._result(ended, not_played=not_played))

    def begin(self) -> None:
        """Write that the gate goes on: what a gate leaves that is killed before its first run has ended."""
        self._keep(self._result(_GOING_ON))

    def without_runs(self, plan: ExperimentPlan, problems: dict[Verdict, list[str]]) -> Result:
        """The result of a gate that played nothing. `problems`: why, by verdict."""
        series = Series(plan, problems=problems)
        return self._result("", series.result(self._budget.spent_s))

    def finish(self, result: Result) -> Result:
        """Write the result, and return it; where it cannot be written, as one that failed."""
        try:
            write_files(result, self._folder)
        except TargetFailed as error:
            code = max(result.exit_code, _BROKEN)
            verdict: Verdict = "interrupted" if result.exit_code > _BROKEN else "failed"
            result = replace(result, verdict=verdict, exit_code=code, why=(str(error), *result.why))
            rewrite_gate_json(result, self._folder)
        return result

    def _keep(self, result: Result) -> None:
        """Write what is known so far. Where that fails, the gate goes on: its end says so."""
        with contextlib.suppress(TargetFailed):
            write_files(result, self._folder)

    def _result(self, ended: str, *more: ExperimentResult, not_played: Sequence[str] = ()) -> Result:
        return overall(
            [*self._results, *more],
            started_at=self._started_at,
            duration_s=round(self._budget.spent_s, 3),
            command=self._command,
            version=version("brownout"),
            machine=machine_text(*this_machine()),
            folder=self._folder,
            ended=ended,
            not_played=not_played,
        )

    def _play_series(self, series: Series, *, first: bool, kept_s: float) -> None:
        """Play the runs of one experiment, as many as its plan and the time allow.

        `first`: of the gate; its first run begins in any case. `kept_s`: for the experiments that follow.
        """
        plan = series.plan
        turns = list(plan.turns())
        for number, turn in enumerate(turns):
            begins_seed = number % plan.sides == 0
            if begins_seed and not (first and number == 0):
                series.cut(self._budget.refuses(self._run_s(plan), plan.sides, kept_s=kept_s))
            if series.ended:
                return
            self._heading(plan, turn, number + 1, len(turns))
            others_s = kept_s + max(0, plan.fewest - number - 1) * self._run_s(plan)
            try:
                self._play_turn(series, turn, kept_s=others_s)
            except BrownoutError as error:
                series.fail(str(error))
            if not series.ended and (number + 1) % plan.sides == 0:
                series.look()
            self._keep(self._result(_GOING_ON, series.result()))

    def _play_turn(self, series: Series, turn: Turn, *, kept_s: float) -> None:
        plan, began_s = series.plan, self._budget.spent_s
        experiment = plan.of(turn)
        side = plan.base_side if turn.side == "base" else plan.head_side
        command = run_command(experiment, plan.name, side, self._request)
        suffix = "-base" if turn.side == "base" else ""
        output = replace(self._output, out=self._folder / "runs", single=False, suffix=suffix)
        retries = self._budget.retries(self._run_s(plan), self._request.retries, kept_s=kept_s)
        runs = self._play_runs(
            output,
            experiment,
            retries=retries,
            command=command,
            on_played=lambda run: series.add(self._concluded(run, turn, command), last=run.last),
        )
        self._output.console.print()
        took_s = (self._budget.spent_s - began_s) / len(runs)
        self._longest_s[plan.head.name] = max(took_s, self._longest_s.get(plan.head.name, 0.0))

    def _run_s(self, plan: ExperimentPlan) -> float:
        """How long a run of this experiment takes, seconds: as measured in this gate, at least as planned."""
        return max(run_s(plan.head), self._longest_s.get(plan.head.name, 0.0))

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
            why=run.why,
            started_at=run.started_at,
            duration_s=run.duration_s,
        )

    def _heading(self, plan: ExperimentPlan, turn: Turn, number: int, turns: int) -> None:
        text = plan.head.name
        if turns > 1:
            at_most = " at most" if plan.until_decided else ""
            side = f", {plan.base_label if turn.side == 'base' else 'head'}" if plan.base is not None else ""
            text = f"{plan.head.name}: run {number} of{at_most} {turns}{side}, seed {turn.seed}"
        self._output.console.print(Text(text, style="bold"))

    def _show(self, result: ExperimentResult) -> None:
        if len(result.runs) > 1 or result.comparison is not None:
            self._output.console.print(experiment_renderable(result))
            self._output.console.print()
