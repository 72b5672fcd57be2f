"""The `steady_state` gates are judged at the end of the baseline. Without a steady state, no fault is injected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.run_helpers import Run, report, write_experiment

pytestmark = pytest.mark.slow


def test_without_a_steady_state_no_fault_is_injected_and_the_run_fails(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, guardrails="steady_state: [calls == 0]"), tmp_path / "runs")
    code = run.end()
    assert code in (1, 3), run.output  # on a busy machine the verdict may be inconclusive
    assert "not steady before the fault: calls == 0" in run.output
    assert [event["stage"] for event in run.events("fault")] == ["planned"]
    assert [event["phase"] for event in run.events("phase")] == ["setup", "warmup", "baseline", "drain", "end"]
    assert [event["event"] for event in run.events("run")] == ["started", "not_steady"]
    run.nothing_left()
    assert report(run.folder)[0] == code


@pytest.mark.long
def test_with_a_steady_state_the_fault_is_injected(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, guardrails="steady_state: [calls >= 1, calls_failed == 0]"), tmp_path / "runs")
    code = run.end()
    assert code in (0, 3), run.output  # on a busy machine a gate may be inconclusive
    assert [event["stage"] for event in run.events("fault")][-1] == "verified"
    [ended] = [event for event in run.events("process") if event["name"] == "steady" and event["event"] == "exited"]
    assert (ended["status"], ended["expected"]) == (0, True)
