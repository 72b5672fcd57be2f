"""`run --json`: the verdict and the exit code of the result are those of the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.cli.play import PlayedRun
from chaos.cli.retry_inconclusive import series_code
from chaos.cli.run_json import result_of
from chaos.cli.side_by_side import most_severe_code
from chaos.experiment.model import Experiment, load_experiment
from tests.support.gate_runs import run_report
from tests.support.run_helpers import write_experiment

CODES = {"pass": 0, "inconclusive": 3, "interrupted": 130}


def played(experiment: Experiment, folder: Path, verdict: str) -> PlayedRun:
    report = None if verdict == "interrupted" else run_report(experiment, severe="" if verdict == "pass" else "late")
    return PlayedRun(folder, CODES[verdict], verdict, report=report, why=verdict, experiment=experiment)


@pytest.mark.parametrize(
    "verdicts", [["pass"], ["inconclusive", "pass"], ["inconclusive", "inconclusive"], ["inconclusive", "interrupted"]]
)
def test_a_run_that_was_played_again_is_one_experiment(tmp_path: Path, verdicts: list[str]) -> None:
    experiment = load_experiment(write_experiment(tmp_path))
    runs = [played(experiment, tmp_path / str(number), verdict) for number, verdict in enumerate(verdicts)]
    code = series_code([run.exit_code for run in runs])
    result = result_of(runs, code, command="brownout run x")
    assert (result.verdict, result.exit_code) == (verdicts[-1], code)
    [one] = result.experiments
    assert (one.target, one.exit_code, len(one.runs)) == ("small", code, len(runs))


def test_each_seed_is_an_experiment_of_its_own(tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    runs = [
        played(load_experiment(path, seed=seed), tmp_path / str(seed), verdict)
        for seed, verdict in ((3, "pass"), (4, "inconclusive"))
    ]
    result = result_of(runs, most_severe_code([0, 3]), command="brownout run x")
    assert [one.verdict for one in result.experiments] == ["pass", "inconclusive"]
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
