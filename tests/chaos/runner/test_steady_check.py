"""The `steady_state` gates are judged at the end of the baseline. Without a steady state, no fault is injected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.run_helpers import Run, report, write_experiment

pytestmark = pytest.mark.slow


def test_without_a_steady_state_no_fault_is_injected_and_the_run_fails(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, guardrails="steady_state: [calls == 0]"), tmp_path / "runs")
    assert run.end() == 1, run.output
    assert "not steady before the fault: calls == 0" in run.output
    assert [event["stage"] for event in run.events("fault")] == ["planned"]
    assert [event["phase"] for event in run.events("phase")] == ["setup", "warmup", "baseline", "drain", "end"]
    assert [event["event"] for event in run.events("run")] == ["started", "not_steady"]
    run.nothing_left()
    assert report(run.folder)[0] == 1
