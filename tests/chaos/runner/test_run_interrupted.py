"""Runs that are told to end: the load is silent in half a second and the run gone in five, whatever a fault does."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from reports.record.reader import read_record
from tests.support.run_helpers import Run, write_experiment

pytestmark = pytest.mark.slow

SILENT_WITHIN_S = 0.5
GONE_WITHIN_S = 5.0
GONE_AFTER_SECOND_WITHIN_S = 2.0

KILL = "kill: {pool: right, cold_start: 30s}"
STEPS = [
    # (fault, its stage at which the signal comes); after `reverted` of a kill its cold start is awaited
    (f"{{at: 0s, for: 2s, {KILL}}}", "injected"),
    (f"{{at: 0s, for: 2s, {KILL}}}", "confirmed"),
    (f"{{at: 0s, for: 2s, {KILL}}}", "reverted"),
    ("{at: 0s, for: 60s, terminate: {replica: right-0, notice: 50s}}", "injected"),
    ("{at: 0s, for: 60s, freeze: {pool: right}}", "confirmed"),
    ("{at: 0s, restart: {pool: right, cold_start: 20s}}", "reverted"),
    ("{at: 0s, for: 60s, flap: {pool: right, period: 6s}}", "confirmed"),
    ("{at: 0s, for: 60s, stall: {pool: right}}", "confirmed"),
    ("{at: 0s, for: 60s, slow_scheduler: {delay: 50ms}}", "confirmed"),
    ("{at: 0s, for: 60s, surge: {factor: 5}}", "confirmed"),
]
IN_MAKE_TEST = {STEPS[2], STEPS[9]}


def run_with(folder: Path, fault: str) -> Run:
    """A run that would go on for minutes."""
    path = write_experiment(folder, fault=fault)
    path.write_text(path.read_text().replace("recovery: 2s", "recovery: 90s"))
    return Run(path, folder / "runs")


def last_call_s(run: Run, since: float) -> float:
    """When the last call of the client began, in seconds after `since` (unix seconds)."""
    calls = [span for span in read_record(run.folder).spans if span.name.startswith("chat")]
    assert len(calls) > 5
    return max(span.start_ns for span in calls) / 1e9 - since


@pytest.mark.parametrize(
    ("fault", "stage"),
    [
        pytest.param(*step, marks=[] if step in IN_MAKE_TEST else [pytest.mark.long], id=f"{step[1]} {step[0][5:]}")
        for step in STEPS
    ],
)
def test_ctrl_c_silences_the_load_at_once_and_ends_the_run_in_5_seconds(tmp_path: Path, fault: str, stage: str) -> None:
    run = run_with(tmp_path, fault)
    run.stage(stage)
    at = time.time()
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    assert time.time() - at < GONE_WITHIN_S
    assert last_call_s(run, at) < SILENT_WITHIN_S
    assert "Traceback" not in run.output
    run.nothing_left()
    assert run.every_fault_is_reverted(), run.output


@pytest.mark.parametrize(
    "pause_s", [0.1, pytest.param(0.3, marks=pytest.mark.long), pytest.param(0.9, marks=pytest.mark.long)]
)
def test_a_second_ctrl_c_ends_everything_in_2_seconds(tmp_path: Path, pause_s: float) -> None:
    run = run_with(tmp_path, STEPS[2][0])
    run.stage("reverted")
    run.process.send_signal(signal.SIGINT)
    time.sleep(pause_s)  # the time between two key presses
    at = time.time()
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    assert time.time() - at < GONE_AFTER_SECOND_WITHIN_S
    assert "Traceback" not in run.output
    run.nothing_left()


@pytest.mark.long
def test_a_guardrail_silences_the_load_at_once(tmp_path: Path) -> None:
    path = write_experiment(
        tmp_path, fault=f"{{at: 0s, for: 40s, {KILL}}}", guardrails="guardrails: [abort if ttft > 1ms for 3s]"
    )
    path.write_text(path.read_text().replace("recovery: 2s", "recovery: 90s"))
    run = Run(path, tmp_path / "runs")
    assert run.end(90) == 4, run.output
    [tripped] = run.events("guardrail")
    assert last_call_s(run, tripped["at"] / 1e9) < SILENT_WITHIN_S
    run.nothing_left()


@pytest.mark.long
def test_the_loss_of_the_shepherd_silences_the_load_at_once(tmp_path: Path) -> None:
    run = run_with(tmp_path, STEPS[4][0])
    run.stage("confirmed")
    shepherd = shepherd_of(run)
    at = time.time()
    os.kill(shepherd, signal.SIGKILL)
    assert run.end() == 5, run.output
    assert last_call_s(run, at) < SILENT_WITHIN_S
    run.nothing_left()


def shepherd_of(run: Run) -> int:
    """The parent of the gateway."""
    status = Path(f"/proc/{run.pid('gateway')}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))
