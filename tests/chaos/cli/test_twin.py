"""`--twin`: the twin of a recorded run, and what is kept about it in the folder of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from chaos.cli.output import Output
from chaos.cli.twin import play_with_twin, twin_facts, twin_of
from chaos.experiment.model import TwinOf, load_experiment
from chaos.experiment.resolved import resolve
from reports.shared.errors import UserError
from tests.support.run_helpers import Run, write_experiment

BEGAN: dict[str, float] = {
    "setup": 8,
    "warmup": 10,
    "baseline": 11,
    "fault": 14,
    "recovery": 16.5,
    "drain": 18.75,
    "end": 20,
}


def began(folder: Path, phases: dict[str, float]) -> Path:
    """A record of when its phases began."""
    lines = [json.dumps({"type": "phase", "phase": phase, "at": int(at * 1e9)}) for phase, at in phases.items()]
    (folder / "events.jsonl").write_text("\n".join([*lines, '{"type": "run", "at": 1}']) + "\n")
    return folder


def test_the_recovery_of_a_twin_is_as_long_as_that_of_the_run_before_shedding(tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(tmp_path))
    phases = {**BEGAN, "shedding": 18.75, "readmission": 28.75, "drain": 38.75, "end": 40}
    assert twin_of(experiment, began(tmp_path, phases)).timeline.recovery_s == 2.25


def test_a_twin_has_no_faults_and_phases_as_long_as_those_of_the_run(tmp_path: Path) -> None:
    gates = "sessions_lost == 0, failover.max <= 5 s, slo_attainment during fault >= 50%"
    experiment = load_experiment(write_experiment(tmp_path, gates=gates))
    twin = twin_of(experiment, began(tmp_path, BEGAN))
    assert twin.name == "small-twin"
    assert twin.faults == ()
    assert (twin.timeline.warmup_s, twin.timeline.baseline_s, twin.timeline.recovery_s) == (1, 3, 2.25)
    assert twin.twin_of == TwinOf(tmp_path.name, 2.5)
    assert twin.load_s == 1 + 3 + 2.5 + 2.25
    assert (twin.seed, twin.profile, twin.stack) == (experiment.seed, experiment.profile, experiment.stack)
    assert [gate.name for gate in twin.gates] == ["sessions_lost", "slo_attainment"]
    assert resolve(twin)["twin_of"] == {"folder": tmp_path.name, "fault_s": 2.5}
    assert "twin_of" not in resolve(experiment)


def test_twin_json_has_the_folder_of_the_twin_and_its_good_calls_by_phase(tmp_path: Path) -> None:
    phases = {"baseline": {"value": 0.99, "samples": 200}, "fault": {"value": None, "samples": 0}}
    report = {"measures": {"slo_attainment": {"phases": phases}}, "run": {"seed": 3}, "verdict": {"verdict": "pass"}}
    assert twin_facts(tmp_path / "a-twin", report) == {
        "path": "../a-twin",
        "seed": 3,
        "verdict": "pass",
        "calls": {
            "baseline": {"offered": 200, "good": 198, "share": 0.99},
            "fault": {"offered": 0, "good": 0, "share": None},
            "recovery": {"offered": 0, "good": 0, "share": None},
        },
    }


def test_an_experiment_without_faults_has_no_twin(tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    path.write_text(path.read_text().replace("faults: [{at: 0s, for: 2s, kill: {pool: right}}]", "faults: []"))
    with pytest.raises(UserError, match="needs an experiment with at least one fault"):
        play_with_twin(Output(tmp_path / "runs", quiet=True), load_experiment(path), command="")


@pytest.mark.long
def test_a_run_and_its_twin_are_played_and_compared(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path), tmp_path / "runs", "--twin", "--quiet")
    assert run.end(90) == 0, run.output
    assert "compared with its twin (without the faults)" in run.output
    first, twin = sorted((tmp_path / "runs").glob("*-*"))
    assert twin.name.endswith("-small-twin")
    assert yaml.safe_load((twin / "experiment.yaml").read_text())["twin_of"]["folder"] == first.name
    twin_section = json.loads((first / "report.json").read_text())["twin"]
    assert twin_section["path"] == f"../{twin.name}"
    assert twin_section["problem"] == ""
    assert twin_section["sessions"]["both"] > 10
    assert twin_section["calls"]["fault"]["offered"] > 0
    assert twin_section["differences"]
    assert "one pair cannot tell a difference from chance" in run.output
    assert not [row for row in twin_section["differences"] if row["differs"]]
    run.nothing_left()
