"""The short form of each shipped experiment, on its own stack: it ends by itself, hits calls, leaves no process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.experiment.model import experiment_names, load_experiment
from tests.support.run_helpers import Run

pytestmark = pytest.mark.slow

REPORTS = ("report.json", "report.html", "summary.md", "junit.xml", "spans.parquet")
NOT_STOPPED = (0, 1, 3)
"""Exit codes of a run that was not stopped, broken or interrupted; a short form decides few gates."""


IN_MAKE_TEST: tuple[str, ...] = ()
"""All are played by `make test-long`; `.ci/run` plays one behind nginx, and one in a gate."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in IN_MAKE_TEST else [pytest.mark.long]) for name in experiment_names()],
)
def test_the_short_form_runs_to_its_end_and_each_fault_hits(name: str, tmp_path: Path) -> None:
    run = Run(Path(name), tmp_path / "runs", "--short", "--quiet")
    assert run.end(110) in NOT_STOPPED, run.output
    assert "short form" in run.output
    assert [event["event"] for event in run.events("run")] == ["started", "finished"]
    stages: dict[str, list[str]] = {}
    for event in run.events("fault"):
        stages.setdefault(event["id"], []).append(event["stage"])
    assert len(stages) == len(load_experiment(name).faults)
    for fault, reached in stages.items():
        assert reached == ["planned", "injected", "confirmed", "reverted", "verified"], fault
    report = json.loads((run.folder / "report.json").read_text())
    assert [fault["id"] for fault in report["faults"] if not (fault["hits"] or fault["calls_met"])] == []
    assert [file for file in REPORTS if not (run.folder / file).is_file()] == []
    run.nothing_left()
