"""`brownout run`: what is rejected before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.cli.run import run_experiment
from reports.shared.errors import UserError
from tests.support.run_helpers import brownout, write_experiment


def refused(experiment: str, folder: Path, **options: Any) -> str:
    """The message for these options, before a folder is made."""
    given: dict[str, Any] = {
        "stacks": None,
        "gateways": None,
        "target": None,
        "seeds": None,
        "trace": None,
        "scale": None,
        "twin": False,
        "spread": None,
        "short": False,
        "confirm": False,
        "retries": 0,
        "may_leave_loopback": False,
        "quiet": True,
    }
    with pytest.raises(UserError) as caught:
        run_experiment(experiment, runs=folder / "runs", words=["brownout", "run"], **{**given, **options})
    assert not (folder / "runs").exists()
    return str(caught.value)


def test_a_stack_without_the_targets_of_a_fault_is_an_error_before_any_run(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    stack = str(tmp_path / "small-stack.yaml")
    assert 'no pool "right"' in refused(str(experiment), tmp_path, stacks=[stack, "naive"])


def test_a_refusal_is_exit_code_2_and_one_message(tmp_path: Path) -> None:
    done = brownout("run", "lose-tpu-pool", "--short", "--confirm", "--runs", str(tmp_path / "runs"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("brownout: --confirm takes longer than a short form")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"twin": True, "seeds": [1, 2]}, "--twin takes one stack, one gateway and one seed"),
        ({"twin": True, "spread": Path("gone.json")}, "gone.json: cannot be read"),
        ({"twin": True, "retries": 1}, "exclude each other"),
        ({"spread": Path(__file__).with_name("no-file.json")}, "cannot be read"),
        ({"stacks": ["naive", "nave"]}, 'did you mean "naive"'),
    ],
)
def test_options_that_exclude_each_other_are_an_error(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    assert message in refused("lose-tpu-pool", tmp_path, **options)


def test_a_warning_about_a_gate_is_printed_once_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = write_experiment(tmp_path, gates="sessions_lost == 0, sessions_lost <= 5")
    refused(str(experiment), tmp_path, twin=True, seeds=[1, 2])  # found after the experiments are read
    warning = f'warning: {experiment}:14: "sessions_lost <= 5" adds nothing: it passes wherever "sessions_lost == 0"'
    assert capsys.readouterr().err.count(warning) == 1
