"""One command line with several stacks or seeds."""

from __future__ import annotations

import json
import shlex
import signal
from pathlib import Path

import pytest

from chaos.cli.side_by_side import combinations, most_severe_code, own_command
from tests.support.run_helpers import Run, brownout, write_experiment


def test_every_stack_is_played_with_every_seed() -> None:
    assert combinations(["a", "b"], [1, 2]) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert combinations(None, [1, 2]) == [(None, 1), (None, 2)]
    assert combinations(None, None) == [(None, None)]
    assert combinations(["a"], []) == [("a", None)]


@pytest.mark.parametrize(
    ("codes", "most_severe"), [([0, 3], 3), ([0, 1, 3], 1), ([4, 3], 4), ([1, 5, 4], 5), ([5, 130], 130), ([0, 0], 0)]
)
def test_the_exit_code_of_several_runs_follows_the_precedence(codes: list[int], most_severe: int) -> None:
    assert most_severe_code(codes) == most_severe


def test_each_record_has_the_command_that_plays_its_run_alone() -> None:
    words = shlex.split("brownout run 'my file.yaml' --stack a --seed=1 --stack=b --seed 2 --quiet")
    assert own_command(words, "a", 2) == "brownout run 'my file.yaml' --quiet --stack a --seed 2"
    assert own_command(words, None, 2) == "brownout run 'my file.yaml' --quiet --seed 2"


@pytest.mark.slow
def test_several_stacks_are_played_one_after_the_other_and_compared(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    stack = tmp_path / "small-stack.yaml"
    other = tmp_path / "other-stack.yaml"
    other.write_text(stack.read_text().replace("name: small", "name: other"))
    run = Run(experiment, tmp_path / "runs", "--stack", str(stack), "--stack", str(other), "--quiet")
    assert run.end(110) == 0, run.output
    first, second, comparison = sorted((tmp_path / "runs").iterdir())
    assert {path.name for path in comparison.iterdir()} == {"comparison.html", "comparison.json", "comparison.md"}
    compared = json.loads((comparison / "comparison.json").read_text())
    assert [one["label"] for one in compared["runs"]] == ["small", "other"]
    assert [one["folder"] for one in compared["runs"]] == [first.name, second.name]
    kept = [json.loads((folder / "report.json").read_text())["run"]["command"] for folder in (first, second)]
    assert [command.split("--stack ")[1:] for command in kept] == [[f"{stack} --seed 3"], [f"{other} --seed 3"]]
    again = brownout("compare", str(first), str(second), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["gates"] == compared["gates"]


@pytest.mark.slow
def test_ctrl_c_ends_the_current_run_and_starts_no_further_one(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    run = Run(experiment, tmp_path / "runs", "--seed", "1", "--seed", "2", "--quiet")
    run.reached("baseline")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    assert len(list((tmp_path / "runs").iterdir())) == 1
    run.nothing_left()
