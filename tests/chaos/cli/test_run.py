"""`brownout run`: what is rejected before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.run_helpers import brownout, write_experiment


def test_a_stack_without_the_targets_of_a_fault_is_an_error_before_any_run(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    stack = str(tmp_path / "small-stack.yaml")
    done = brownout("run", str(experiment), "--stack", stack, "--stack", "naive", "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2, done.stdout
    assert 'no pool "right"' in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--twin", "--seed", "1", "--seed", "2"], "--twin takes one stack, one gateway and one seed"),
        (["--spread", "gone.json", "--twin"], "gone.json: cannot be read"),
        (["--short", "--confirm"], "leave --short out"),
        (["--stack", "naive", "--stack", "nave"], 'did you mean "naive"'),
    ],
)
def test_options_that_exclude_each_other_are_an_error(tmp_path: Path, options: list[str], message: str) -> None:
    done = brownout("run", "lose-tpu-pool", *options, "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_warning_about_a_gate_is_printed_once_before_anything_starts(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, gates="sessions_lost == 0, sessions_lost <= 5")
    options = ["--twin", "--seed", "1", "--seed", "2"]  # an error that is found after the experiments are read
    done = brownout("run", str(experiment), *options, "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    warning = f'warning: {experiment}:14: "sessions_lost <= 5" adds nothing: it passes wherever "sessions_lost == 0"'
    assert done.stderr.count(warning) == 1
    assert not (tmp_path / "runs").exists()
