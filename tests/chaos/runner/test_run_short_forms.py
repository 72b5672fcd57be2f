"""Every experiment that ships, in short, on its own stack: it ends by itself, breaks what it says, leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.experiment.model import experiment_names, load_experiment
from tests.support.run_helpers import Run

pytestmark = pytest.mark.slow

REPORTS = ("report.json", "report.html", "summary.md", "junit.xml", "spans.parquet")
PLAYED = (0, 1, 3)
"""A short form decides little; what it must not be is stopped, broken or interrupted."""


@pytest.mark.parametrize("name", experiment_names())
def test_its_short_form_plays(name: str, tmp_path: Path) -> None:
    run = Run(Path(name), tmp_path / "runs", "--short", "--quiet")
    assert run.end(110) in PLAYED, run.output
    assert "short form" in run.output
    assert [event["event"] for event in run.events("run")] == ["started", "finished"]
    stages: dict[str, list[str]] = {}
    for event in run.events("fault"):
        stages.setdefault(event["id"], []).append(event["stage"])
    assert len(stages) == len(load_experiment(name).faults)
    for fault, reached in stages.items():
        assert reached == ["planned", "injected", "confirmed", "reverted", "verified"], fault
    told = json.loads((run.folder / "report.json").read_text())
    assert [fault["id"] for fault in told["faults"] if not (fault["hits"] or fault["calls_met"])] == []
    assert [file for file in REPORTS if not (run.folder / file).is_file()] == []
    run.nothing_left()
