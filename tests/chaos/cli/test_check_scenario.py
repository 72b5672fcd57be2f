"""`brownout check` for scenarios: what is in it, or every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from chaos.cli.app import app
from chaos.cli.check import check_experiments
from chaos.experiment import target_checks
from reports.shared.errors import UserError
from tests.support.scenario_files import SCENARIO, write


def checked(*names: str, **options: object) -> int:
    given: dict[str, object] = {"stacks": None, "seed": None, "trace": None, **options}
    return check_experiments(names, **given)  # type: ignore[arg-type]


def test_a_valid_scenario_says_that_nothing_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert checked(str(write(tmp_path)), "one-cloud-gone") == 0
    said = capsys.readouterr().out
    assert said.count("nothing is wrong") == 2
    assert "1 fault, 1 hint, 1 event, 1 branch, 1 expected finding" in said
    assert "length  20 min" in said
    assert "in reserve: spare" in said
    assert "tpu-1" not in said.replace("tpu: 2", "")


def test_every_mistake_of_scenarios_and_experiments_is_said_at_once(tmp_path: Path) -> None:
    text = SCENARIO.replace("after: 8m", "after: 25m").replace("drain: tpu", "drain: tpv")
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        checked(str(tmp_path / "x.yaml"), "lose-tpu-pol", "grey-failure")
    said = str(caught.value)
    assert 'x.yaml:14: drain: the stack multi-cloud has no pool "tpv"\n    did you mean "tpu"?' in said
    assert "x.yaml:16: the hint comes at 25 min, after the end of the exercise (20 min)\n    let it come" in said
    assert 'did you mean "lose-tpu-pool"?' in said


def test_options_of_experiments_are_refused_for_a_scenario() -> None:
    with pytest.raises(UserError, match="one-slow-chip is a scenario, and --scale is for experiments\n    leave"):
        checked("one-slow-chip", scale="0.5")
    result = CliRunner().invoke(app, ["check", "one-slow-chip", "--trace", "x"])
    assert "--trace is for experiments" in str(result.exception)


def test_a_gateway_that_is_not_installed_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(target_checks, "installed", lambda adapter: None)
    path = write(tmp_path, "[{restart: tpu-1}, {drain: tpu}]", "[{restart: tpu-1}]")
    assert checked(str(path), gateways=["litellm"]) == 0
    assert "litellm is not installed: brownout targets install litellm; gameday will refuse" in capsys.readouterr().out
