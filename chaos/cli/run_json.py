"""`brownout run --json`: the result of the runs on standard output, in the form of gate.json."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from brownout.result import ExperimentResult, Result
from chaos.cli.play import PlayedRun
from chaos.experiment.model import Experiment
from reports.gating.outcome import Concluded, concluded, experiment_result, overall
from reports.gating.repeated import judge_over_runs
from reports.shared.machine import machine_text, this_machine
from reports.shared.wording import target_text

__all__ = ["print_result", "result_of"]


def print_result(played: Sequence[PlayedRun], code: int, experiment: Experiment, *, command: str) -> None:
    """Print the result of runs that were played. `code`: the exit code of the command."""
    print(json.dumps(result_of(played, code, experiment, command=command).to_json(), indent=1))


def result_of(played: Sequence[PlayedRun], code: int, experiment: Experiment, *, command: str) -> Result:
    """The runs as a result: those of one target, played again, are one experiment of it. Paths are absolute."""
    by_target: dict[str, list[Concluded]] = defaultdict(list)
    for run in played:
        target = target_text(run.report["run"]) if run.report is not None else ""
        by_target[target].append(_concluded(run, experiment))
    experiments = [_experiment(experiment, target, runs) for target, runs in by_target.items()]
    first = min((one.run.started_at for runs in by_target.values() for one in runs if one.run.started_at), default="")
    result = overall(
        experiments,
        started_at=first,
        duration_s=sum(one.duration_s for one in experiments),
        command=command,
        version=version("brownout"),
        machine=machine_text(*this_machine()),
        folder=Path(),
    )
    return replace(result, exit_code=code)


def _experiment(experiment: Experiment, target: str, runs: Sequence[Concluded]) -> ExperimentResult:
    reports = [one.report for one in runs if one.report is not None]
    gates = judge_over_runs(reports) if reports else ()
    return experiment_result(experiment.name, experiment.title, runs, target=target, gates=gates)


def _concluded(run: PlayedRun, experiment: Experiment) -> Concluded:
    its = run.report["run"] if run.report is not None else {}
    return concluded(
        run.folder.absolute(),
        run.report,
        side="head",
        seed=int(its.get("seed", experiment.seed)),
        verdict=run.verdict,
        exit_code=run.exit_code,
        command=str(its.get("command") or ""),
        below=Path(),
    )
