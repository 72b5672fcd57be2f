"""Several runs of one command line, and the comparison of those there are."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.cli.side_by_side import combinations, gravest_code, own_command
from tests.support.paths import ROOT
from tests.support.run_helpers import Run, write_experiment


def brownout(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chaos.cli.app", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_every_stack_is_played_with_every_seed() -> None:
    assert combinations(["a", "b"], [1, 2]) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert combinations(None, [1, 2]) == [(None, 1), (None, 2)]
    assert combinations(None, None) == [(None, None)]
    assert combinations(["a"], []) == [("a", None)]


@pytest.mark.parametrize(
    ("codes", "gravest"), [([0, 3], 3), ([0, 1, 3], 1), ([4, 3], 4), ([1, 5, 4], 5), ([5, 130], 130), ([0, 0], 0)]
)
def test_the_gravest_exit_code_of_all_is_the_answer(codes: list[int], gravest: int) -> None:
    assert gravest_code(codes) == gravest


def test_each_record_says_how_it_is_played_again_alone() -> None:
    words = shlex.split("brownout run 'my file.yaml' --stack a --seed=1 --stack=b --seed 2 --quiet")
    assert own_command(words, "a", 2) == "brownout run 'my file.yaml' --quiet --stack a --seed 2"
    assert own_command(words, None, 2) == "brownout run 'my file.yaml' --quiet --seed 2"


def test_comparing_what_is_no_record_is_a_mistake_of_the_users(tmp_path: Path) -> None:
    done = brownout("compare", str(tmp_path), str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "no record of a run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stack_that_does_not_fit_is_told_before_any_is_played(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    stack = str(tmp_path / "small-stack.yaml")
    done = brownout("run", str(experiment), "--stack", stack, "--stack", "naive", "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2, done.stdout
    assert 'no pool "right"' in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--twin", "--seed", "1", "--seed", "2"], "--twin goes with one stack and one seed"),
        (["--short", "--confirm"], "leave --short out"),
        (["--stack", "naive", "--stack", "nave"], 'did you mean "naive"'),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, options: list[str], said: str) -> None:
    done = brownout("run", "lose-tpu-pool", *options, "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_stacks_are_played_one_after_the_other_and_put_side_by_side(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    stack = tmp_path / "small-stack.yaml"
    other = tmp_path / "other-stack.yaml"
    other.write_text(stack.read_text().replace("name: small", "name: other"))
    run = Run(experiment, tmp_path / "runs", "--stack", str(stack), "--stack", str(other), "--quiet")
    assert run.end(110) == 0, run.output
    first, second, comparison = sorted((tmp_path / "runs").iterdir())
    assert {path.name for path in comparison.iterdir()} == {"comparison.html", "comparison.json", "comparison.md"}
    told = json.loads((comparison / "comparison.json").read_text())
    assert [one["label"] for one in told["runs"]] == ["small", "other"]
    assert [one["folder"] for one in told["runs"]] == [first.name, second.name]
    kept = [json.loads((folder / "report.json").read_text())["run"]["command"] for folder in (first, second)]
    assert [command.split("--stack ")[1:] for command in kept] == [[f"{stack} --seed 3"], [f"{other} --seed 3"]]
    again = brownout("compare", str(first), str(second), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["gates"] == told["gates"]


@pytest.mark.slow
def test_ctrl_c_ends_the_one_under_way_and_plays_none_after_it(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    run = Run(experiment, tmp_path / "runs", "--seed", "1", "--seed", "2", "--quiet")
    run.reached("baseline")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    assert len(list((tmp_path / "runs").iterdir())) == 1
    run.nothing_left()
