"""The command `gate`: its folder, its output, and what GitHub gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from brownout.result import Result
from chaos.cli.gate import command as module
from chaos.cli.gate.command import run_gate
from chaos.cli.gate.files import FILES, result_folder
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest
from chaos.cli.scale_ramp import Fit
from reports.shared.errors import UserError
from tests.support.gate_runs import FakePlayer, run_report
from tests.support.run_helpers import write_experiment


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small experiment, whose runs lose a session each."""
    player = FakePlayer(lambda one, *_: run_report(one, lost=1))

    class Faked(GatePlay):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **{"play_runs": player, **more})

    monkeypatch.setattr(module, "GatePlay", Faked)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return str(write_experiment(tmp_path))


def gate(experiment: str, folder: Path, *, out: Path | None = None, as_json: bool = False) -> int:
    request = GateRequest((experiment,))
    return run_gate(request, runs=folder / "runs", out=out, as_json=as_json, quiet=True, words=["brownout", "gate"])


def test_without_out_the_result_is_in_a_new_folder_to_which_latest_leads(tmp_path: Path, experiment: str) -> None:
    assert gate(experiment, tmp_path) == 1
    assert Result.read(tmp_path / "runs" / "latest").verdict == "fail"


def test_files_of_an_earlier_gate_are_gone_before_the_first_run(tmp_path: Path, experiment: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in (*FILES, "notes.txt"):
        (out / name).write_text("before this gate")
    assert gate(experiment, tmp_path, out=out) == 1
    assert gate(experiment, tmp_path, out=out) == 1
    assert Result.read(out).experiments[0].runs[0].folder == "runs/small-2", "the first record is kept"
    assert (out / "notes.txt").read_text() == "before this gate"
    assert "before this gate" not in (out / "junit.xml").read_text()


def test_a_folder_that_cannot_be_written_is_refused_before_any_run(tmp_path: Path, experiment: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Name another folder with --out"):
        gate(experiment, tmp_path, out=tmp_path / "file")


def test_json_is_all_that_standard_output_has(
    tmp_path: Path, experiment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(experiment, tmp_path, out=tmp_path / "out", as_json=True) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["verdict"] == "fail"
    assert "GATE FAIL" in output.err


def test_on_github_the_failed_gate_is_annotated_at_its_line(
    tmp_path: Path, experiment: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(summary),
    }.items():
        monkeypatch.setenv(name, value)
    assert gate(experiment, tmp_path, out=tmp_path / "out") == 1
    [line] = [one for one in capsys.readouterr().out.splitlines() if one.startswith("::error")]
    assert "file=small.yaml" in line
    assert "line=" in line
    assert "sessions_lost == 0" in summary.read_text()


def test_wrong_usage_leaves_no_files_of_an_earlier_gate(tmp_path: Path, experiment: str) -> None:
    out = tmp_path / "out"
    assert gate(experiment, tmp_path, out=out) == 1
    with pytest.raises(UserError, match="nosuch"):
        gate("nosuch", tmp_path, out=out)
    assert not [name for name in FILES if (out / name).exists()]
    assert (out / "runs" / "small-1" / "report.json").exists(), "records are kept"


def test_files_that_no_gate_wrote_are_not_replaced(tmp_path: Path, experiment: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "junit.xml").write_text("mine")
    with pytest.raises(UserError, match="not of a gate"):
        gate(experiment, tmp_path, out=out)
    assert (out / "junit.xml").read_text() == "mine"


def test_a_second_gate_does_not_write_into_the_same_folder(tmp_path: Path, experiment: str) -> None:
    with result_folder(tmp_path / "out"), pytest.raises(UserError, match="another gate is writing"):
        gate(experiment, tmp_path, out=tmp_path / "out")


@pytest.mark.parametrize(("code", "verdict"), [(3, "inconclusive"), (5, "failed"), (130, "interrupted")])
def test_a_ramp_that_finds_no_load_has_a_result(
    tmp_path: Path, experiment: str, monkeypatch: pytest.MonkeyPatch, code: int, verdict: str
) -> None:
    monkeypatch.setattr(module, "fit_scale", lambda *_, **__: Fit(None, code))
    request = GateRequest((experiment,), scale="auto")
    out = tmp_path / "out"
    assert run_gate(request, runs=tmp_path, out=out, as_json=False, quiet=True, words=["brownout"]) == code
    result = Result.read(out)
    assert result.verdict == verdict
    assert "--scale auto" in result.why[0]


def test_the_load_that_a_ramp_found_is_that_of_every_run(
    tmp_path: Path, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "fit_scale", lambda *_, **__: Fit(0.123456789))
    request = GateRequest((experiment,), scale="auto", repeat=2)
    out = tmp_path / "out"
    run_gate(request, runs=tmp_path, out=out, as_json=False, quiet=True, words=["brownout"])
    commands = [run.command for run in Result.read(out).experiments[0].runs]
    assert all("--scale 0.123456789" in command for command in commands)
