"""`brownout run --json`: the result of the runs on standard output, in the form of gate.json."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from brownout.result import ExperimentResult, Result
from chaos.cli.gate.plan import planned_conditions
from chaos.cli.play import PlayedRun
from reports.gating.outcome import Concluded, concluded, experiment_result, overall
from reports.gating.repeated import judge_over_runs
from reports.shared.machine import machine_text, this_machine

__all__ = ["print_result", "result_of"]


def print_result(played: Sequence[PlayedRun], code: int, *, command: str) -> None:
    """Print the result of runs that were played. `code`: the exit code of the command."""
    print(json.dumps(result_of(played, code, command=command).to_json(), indent=1))


def result_of(played: Sequence[PlayedRun], code: int, *, command: str) -> Result:
    """The runs as a result. Each target and seed is an experiment of it, which has the verdict of its last attempt, as
    the command has. Paths are absolute.
    """
    groups: dict[tuple[str, int], list[PlayedRun]] = defaultdict(list)
    for run in played:
        assert run.experiment is not None, "each run that was played says what of"
        groups[planned_conditions(run.experiment).target, run.experiment.seed].append(run)
    experiments = [_experiment(target, runs) for (target, _), runs in groups.items()]
    result = overall(
        experiments,
        started_at=min((run.started_at for run in played), default=""),
        duration_s=round(sum(run.duration_s for run in played), 3),
        command=command,
        version=version("brownout"),
        machine=machine_text(*this_machine()),
        folder=Path(),
    )
    assert result.exit_code == code, f"the runs say {result.exit_code}, and the command {code}"
    return result


def _experiment(target: str, runs: Sequence[PlayedRun]) -> ExperimentResult:
    concluded = [_concluded(run) for run in runs]
    last, experiment = concluded[-1], runs[0].experiment
    assert experiment is not None
    gates = judge_over_runs([last.report]) if last.report is not None else ()
    return experiment_result(experiment.name, experiment.title, concluded, target=target, gates=gates)


def _concluded(run: PlayedRun) -> Concluded:
    its = run.report["run"] if run.report is not None else {}
    return concluded(
        run.folder.absolute(),
        run.report,
        side="head",
        seed=run.experiment.seed if run.experiment is not None else 0,
        verdict=run.verdict,
        exit_code=run.exit_code,
        command=str(its.get("command") or ""),
        below=Path(),
        why=run.why,
        started_at=run.started_at,
        duration_s=run.duration_s,
    )
