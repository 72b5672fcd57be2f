"""`brownout runbook`: what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chaos.cli.app import app
from chaos.cli.runbook import write_runbook
from chaos.experiment.model import load_experiment
from reports.report.build import SCHEMA
from reports.shared.errors import UserError
from tests.support.experiment_files import WITHOUT_FAULTS
from tests.support.gate_runs import run_report


def written(name: str, **options: Path | str | int | None) -> int:
    given = {"stack": None, "gateway": None, "target": None, "seed": None, "earlier": None, "out": None, **options}
    return write_runbook(name, **given)  # type: ignore[arg-type]


def run_of(name: str, folder: Path) -> Path:
    report = run_report(load_experiment(name)) | {"schema": SCHEMA}
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_the_page_is_printed_or_written_in_both_forms(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["runbook", "lose-tpu-pool", "--stack", "naive", "--seed", "8"])
    assert printed.exit_code == 0
    assert "brownout run lose-tpu-pool --stack naive --seed 8" in printed.stdout
    out = tmp_path / "a" / "b"
    told = CliRunner().invoke(app, ["runbook", "lose-tpu-pool", "--stack", "naive", "--seed", "8", "--out", str(out)])
    assert told.stdout.splitlines()[-1].endswith("runbook.html")
    assert (out / "runbook.md").read_text() == printed.stdout
    html = (out / "runbook.html").read_text()
    assert "<title>Runbook: " in html
    assert html.count('type="checkbox"') == printed.stdout.count("- [ ] ")
    assert "http://" not in html.replace('href="data:,"', "")


def test_an_endpoint_elsewhere_needs_no_permission_because_nothing_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WITHOUT_FAULTS)
    target = tmp_path / "target.yaml"
    target.write_text("brownout: 1\ntarget: {url: 'https://api.example.com', model: m}\n")
    assert written(str(path), target=target, out=tmp_path / "out") == 0
    text = (tmp_path / "out" / "runbook.md").read_text()
    assert "brownout abort" not in text
    assert "brownout status" not in text
    assert "Ctrl-C in the terminal" in text


def test_an_earlier_run_must_be_of_the_same_experiment(tmp_path: Path) -> None:
    run = run_of("cut-streams", tmp_path / "run")
    with pytest.raises(UserError, match="a run of cut-streams, not of lose-tpu-pool"):
        written("lose-tpu-pool", earlier=run)
    with pytest.raises(UserError, match=r"no report\.json\. Make it with: brownout report"):
        written("lose-tpu-pool", earlier=tmp_path)
    assert written("cut-streams", earlier=run, out=tmp_path / "out") == 0


def test_a_folder_that_cannot_be_written_is_a_mistake_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--out .*file/x: cannot be written .*Name another folder"):
        written("lose-tpu-pool", out=tmp_path / "file" / "x")
    assert (tmp_path / "file").read_text() == ""


def test_a_scenario_has_a_page_too_and_no_earlier_run(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["runbook", "one-slow-chip", "--seed", "8"])
    assert printed.exit_code == 0
    assert "brownout gameday one-slow-chip --seed 8" in printed.stdout
    assert written("one-slow-chip", seed=8, out=tmp_path / "out") == 0
    assert (tmp_path / "out" / "runbook.md").read_text() == printed.stdout
    assert "<title>Runbook: One chip is throttled" in (tmp_path / "out" / "runbook.html").read_text()
    with pytest.raises(UserError, match="one-slow-chip is a scenario, and --from is for experiments\n    leave --from"):
        written("one-slow-chip", earlier=tmp_path)
