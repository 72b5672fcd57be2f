"""Runs that are interrupted, killed, stopped or out of disk space: each ends as specified and leaves no process."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brownout.children import python_words
from tests.support.run_helpers import Run, report, until, write_experiment
from tests.support.small_disk import small_disk

pytestmark = pytest.mark.slow

LONG_KILL = "{at: 0s, for: 60s, kill: {pool: right}}"
LONG_STALL = "{at: 0s, for: 60s, stall: {pool: right}}"
PHASES = ["setup", "warmup", "baseline", "fault", "recovery", "drain"]


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_in_any_phase_reverts_the_fault_and_keeps_the_record(tmp_path: Path, phase: str) -> None:
    run = Run(write_experiment(tmp_path), tmp_path / "runs")
    run.reached(phase)
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    run.nothing_left()
    assert run.every_fault_is_reverted()
    code, output = report(run.folder)
    assert code == 130, output
    assert "Traceback" not in output


@pytest.mark.long
def test_a_terminal_that_is_closed_ends_the_run_as_ctrl_c_does(tmp_path: Path) -> None:
    screen, terminal = pty.openpty()
    run = Run(write_experiment(tmp_path, fault=LONG_KILL), tmp_path / "runs", terminal=terminal)
    os.close(terminal)

    def on() -> bool:
        while select.select([screen], [], [], 0)[0]:
            os.read(screen, 65536)
        return "confirmed" in [event["stage"] for event in run.events("fault")]

    until(on, "the fault", 40)
    os.close(screen)
    run.process.send_signal(signal.SIGHUP)
    begun = time.monotonic()
    assert run.end() == 130
    assert time.monotonic() - begun < 5
    assert [event["event"] for event in run.events("run")] == ["started", "interrupted"]
    assert run.every_fault_is_reverted()
    run.nothing_left()


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
def test_a_killed_runner_leaves_no_process_and_a_readable_record(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, fault=LONG_KILL), tmp_path / "runs")
    run.stage("confirmed")
    run.process.kill()
    run.end()
    run.nothing_left()
    code, output = report(run.folder)
    assert code in (1, 3, 5), output
    assert "Traceback" not in output


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
def test_the_shepherd_ends_the_run_of_a_runner_that_is_stopped_for_5_seconds(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, fault=LONG_KILL), tmp_path / "runs")
    run.stage("confirmed")
    gateway = run.pid("gateway")
    run.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: not Path(f"/proc/{gateway}").exists(), "the end of the gateway", 15)
    finally:
        run.process.send_signal(signal.SIGCONT)
    assert run.end() == 5, run.output
    run.nothing_left()


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
@pytest.mark.parametrize("name", ["locust", "gateway", "left-0"])
def test_a_process_that_dies_unexpectedly_ends_the_run_and_is_named(tmp_path: Path, name: str) -> None:
    run = Run(write_experiment(tmp_path, fault=LONG_STALL), tmp_path / "runs")
    run.stage("confirmed")
    os.kill(run.pid(name), signal.SIGKILL)
    assert run.end() == 5, run.output
    assert f"{name} exited unexpectedly (killed by signal 9)" in run.output.replace("\n", " ")
    assert "Traceback" not in run.output
    run.nothing_left()


@pytest.mark.long
def test_a_frozen_replica_is_resumed_when_the_run_is_interrupted(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, fault="{at: 0s, for: 60s, freeze: {pool: right}}"), tmp_path / "runs")
    run.stage("confirmed")
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == 130, run.output
    run.nothing_left()
    assert run.every_fault_is_reverted()


LOAD_OR_GATEWAY = ["surge: {factor: 5}", "slow_scheduler: {delay: 20ms}", "stuck_config: {replicas: right-0}"]


@pytest.mark.long  # in make test: a surge, in test_run_interrupted.py
@pytest.mark.parametrize("fault", LOAD_OR_GATEWAY)
def test_a_fault_of_load_or_gateway_is_reverted_when_the_run_is_interrupted(tmp_path: Path, fault: str) -> None:
    run = Run(write_experiment(tmp_path, fault=f"{{at: 0s, for: 60s, {fault}}}"), tmp_path / "runs")
    run.stage("confirmed")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    run.nothing_left()
    assert run.every_fault_is_reverted()


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
@pytest.mark.parametrize("fault", LOAD_OR_GATEWAY[:2])
def test_a_killed_runner_leaves_no_surge_and_no_slow_gateway(tmp_path: Path, fault: str) -> None:
    run = Run(write_experiment(tmp_path, fault=f"{{at: 0s, for: 60s, {fault}}}"), tmp_path / "runs")
    run.stage("confirmed")
    run.process.kill()
    run.end()
    run.nothing_left()


@pytest.mark.long  # in make test: test_run_interrupted.py
def test_a_long_notice_does_not_delay_the_end_of_an_interrupted_run(tmp_path: Path) -> None:
    fault = "{at: 0s, for: 90s, terminate: {replica: right-0, notice: 80s, cold_start: 0s}}"
    stall = "{at: 0s, for: 80s, stall: {replica: right-0}}"  # so that the replica is never idle
    run = Run(write_experiment(tmp_path, fault=f"{stall}, {fault}"), tmp_path / "runs")
    run.stage("injected")
    begun = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    assert time.monotonic() - begun < 40
    run.nothing_left()


def test_a_gateway_that_does_not_start_is_named_with_its_last_log_lines(tmp_path: Path) -> None:
    """The command of the gateway is replaced by one that fails, as in a broken installation."""
    program = tmp_path / "broken.py"
    program.write_text(
        "import sys\n"
        "from dataclasses import replace\n"
        "from chaos.cli import app\n"
        "from chaos.runner.deployment import Deployment\n"
        "original = Deployment.gateway_spec\n"
        "argv = [sys.executable, '-c', 'raise SystemExit(\"the gateway is not installed\")']\n"
        "Deployment.gateway_spec = lambda self: replace(original(self), argv=argv)\n"
        "sys.exit(app.main())\n"
    )
    experiment = write_experiment(tmp_path)
    command = [sys.executable, str(program), "run", str(experiment), "--runs", str(tmp_path / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "gateway exited unexpectedly (exit code 1)" in done.stdout.replace("\n", " ")
    assert "the gateway is not installed" in done.stdout


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
def test_a_full_disk_ends_the_run_and_report_answers_as_the_run_did(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="500k") as disk:
        run = Run(write_experiment(tmp_path, fault=LONG_STALL), disk / "runs")
        assert run.end() == 5, run.output
        assert "the disk is full" in run.output.replace("\n", " ")
        assert "Traceback" not in run.output
        run.nothing_left()
        assert run.every_fault_is_reverted()
        [ended] = [event for event in run.events("run") if event["event"] != "started"]
        assert ended["event"] == "failed"
        assert "the disk is full" in ended["why"]
        assert run.events("phase")[-1]["phase"] == "end"
        code, output = report(run.folder)  # still on the full disk
        assert code == 5, output
        assert "Traceback" not in output
        shutil.copytree(run.folder, tmp_path / "copy")  # where there is room
        code, output = report(tmp_path / "copy")
        assert code == 5, output
        assert "the disk is full" in output.replace("\n", " ")


def test_a_port_in_use_is_reported_as_a_mistake_of_the_user(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = python_words("-m", "chaos.cli.app", "up", "--port", port, "--runs", str(tmp_path))
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert port in done.stderr
    assert "Traceback" not in done.stderr
