"""A whole small run: its processes, record and verdict; no process is left."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from tests.support.run_helpers import Run, report, write_experiment

pytestmark = pytest.mark.slow
of_one_run = pytest.mark.xdist_group("one whole run")
"""One worker runs all of these tests, because they look at one run."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    experiment = write_experiment(folder)
    for attempt in range(3):  # a machine that is too busy decides nothing
        run = Run(experiment, folder / f"runs-{attempt}")
        if run.end() != 3:
            break
    assert run.process.returncode == 0, run.output
    return run


@of_one_run
def test_the_run_passes_and_prints_its_verdict_fault_and_report(played: Run) -> None:
    assert "PASS" in played.output
    assert "fault f1: kill on right-0" in played.output
    assert str(played.folder / "report.html") in played.output.replace("\n", "")


@of_one_run
def test_no_process_is_left(played: Run) -> None:
    played.nothing_left()


@of_one_run
def test_the_record_is_complete_and_private(played: Run) -> None:
    folder = played.folder
    names = {path.name for path in folder.iterdir()}
    assert names >= {"experiment.yaml", "events.jsonl", "gauges.jsonl", "spans", "spans.parquet", "undo.jsonl", "logs"}
    assert names >= {"report.json", "report.html", "summary.md", "junit.xml"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert yaml.safe_load((folder / "experiment.yaml").read_text())["seed"] == 3


@of_one_run
def test_the_phases_are_recorded_in_order(played: Run) -> None:
    phases = [event["phase"] for event in played.events("phase")]
    assert phases == ["setup", "warmup", "baseline", "fault", "recovery", "drain", "end"]


@of_one_run
def test_the_fault_went_through_every_stage_and_hit_calls(played: Run) -> None:
    stages = [event["stage"] for event in played.events("fault")]
    assert stages == ["planned", "injected", "confirmed", "reverted", "verified"]
    report_json = json.loads((played.folder / "report.json").read_text())
    assert report_json["faults"][0]["calls_met"] > 0


@of_one_run
def test_every_span_that_was_started_was_received(played: Run) -> None:
    spans = json.loads((played.folder / "report.json").read_text())["proofs"]["spans"]
    assert spans["received"] > 200
    assert spans["lost"] == 0


@of_one_run
def test_no_file_of_the_record_contains_the_token(played: Run) -> None:
    """Processes get the token by their environment, so that the record can be shared."""
    for path in played.folder.rglob("*"):
        if path.is_file():
            assert b"BROWNOUT_TOKEN" not in path.read_bytes(), path


@of_one_run
def test_the_reports_can_be_made_again_from_the_record(played: Run) -> None:
    before = json.loads((played.folder / "report.json").read_text())["gates"]
    for name in ("report.json", "report.html", "spans.parquet"):
        (played.folder / name).unlink()
    code, output = report(played.folder)
    assert code == 0, output
    assert json.loads((played.folder / "report.json").read_text())["gates"] == before


def test_a_violated_gate_fails_the_run(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, gates="sessions_lost == 0, calls <= 5")
    run = Run(experiment, tmp_path / "runs", "--quiet", "--retry-inconclusive", "2")
    assert run.end(150) == 1, run.output
    assert "✗" in run.output
    assert "calls <= 5" in run.output


def test_a_fault_that_hits_nothing_is_inconclusive(tmp_path: Path) -> None:
    """An answer has 12 tokens, so a cut after 200 tokens hits no call."""
    fault = "{at: 0s, for: 1s, cut: {pool: right, after_tokens: 200, how: fin}}"
    run = Run(write_experiment(tmp_path, fault=fault), tmp_path / "runs", "--quiet")
    assert run.end() == 3, run.output


def test_a_guardrail_stops_the_run_and_the_fault_is_reverted(tmp_path: Path) -> None:
    fault = "{at: 0s, for: 60s, http_error: {count: all, status: 400}}"
    guardrails = "guardrails: [abort if error_rate > 50% for 1s]"
    experiment = write_experiment(tmp_path, fault=fault, guardrails=guardrails, gates="silent_truncations == 0")
    run = Run(experiment, tmp_path / "runs")
    assert run.end() == 4, run.output
    assert "guardrail" in run.output
    assert "verified" in [event["stage"] for event in run.events("fault")]
    run.nothing_left()
