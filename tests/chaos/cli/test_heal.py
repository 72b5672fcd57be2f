"""`brownout heal`: which runs it takes, what it prints, its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chaos.cli.app import app
from chaos.cli.heal import heal_runs
from chaos.supervision.identity import Identity, identify, state_of
from chaos.supervision.run_lock import lock_folder, who_holds
from chaos.supervision.undo import UndoFile, pending
from reports.shared.errors import UserError
from tests.support.run_helpers import Run, brownout, kill_all_of, report, write_experiment
from tests.support.shepherd_helpers import eventually

START = {"do": "start", "process": "tpu-0"}
LEFT = {"do": "request", "method": "DELETE", "url": "http://127.0.0.1:9/behaviours/f1", "process": "tpu-0"}


@pytest.fixture
def frozen() -> Iterator[Identity]:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        who = identify(process.pid)
        assert who is not None
        os.kill(who.pid, signal.SIGSTOP)
        eventually(lambda: state_of(who) == "stopped", "frozen")
        yield who
    finally:
        process.kill()
        process.wait()


def make_run(runs: Path, name: str, *records: dict[str, Any]) -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "events.jsonl").touch()
    if records:
        UndoFile(folder / "undo.jsonl", name).arm("f1", records)
    return folder


def heal(*words: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["heal", *map(str, words)], catch_exceptions=False)
    return found.exit_code, found.output


def test_a_frozen_process_is_thawed_by_the_command(tmp_path: Path, frozen: Identity) -> None:
    record = {"do": "signal", "process": "tpu-0", "signal": "SIGCONT", **frozen._asdict()}
    folder = make_run(tmp_path, "one", record)
    dry = brownout("heal", str(folder), "--dry-run")
    assert (dry.returncode, state_of(frozen)) == (5, "stopped")
    assert f"by hand: kill -CONT {frozen.pid}" in dry.stdout
    assert "1 of 1 to be undone: leave out --dry-run" in dry.stdout
    done = brownout("heal", str(folder))
    assert (done.returncode, state_of(frozen)) == (0, "running")
    assert "f1: signal (tpu-0): undone: SIGCONT sent" in done.stdout
    assert "nothing is left to undo" in done.stdout
    again = brownout("heal", str(folder))
    assert (again.returncode, again.stdout) == (0, f"{folder}: nothing to undo\n")


def test_without_a_run_every_run_that_left_something_is_healed(tmp_path: Path) -> None:
    one, two = make_run(tmp_path, "one", START), make_run(tmp_path, "two", START)
    make_run(tmp_path, "three")
    (tmp_path / "a-file").touch()
    code, output = heal("--runs", tmp_path)
    assert code == 0
    assert output.count("already as it should be: the run has ended and its stack with it") == 2
    assert [pending(folder / "undo.jsonl") for folder in (one, two)] == [[], []]
    assert heal("--runs", tmp_path) == (0, f"{tmp_path}: no run has left anything to undo\n")


def test_the_runs_of_gates_are_healed_too_but_not_those_behind_links(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    inside = make_run(runs / "gate-1" / "runs", "small-1", START)
    elsewhere = make_run(tmp_path / "elsewhere" / "runs", "other", START)
    (runs / "latest").symlink_to("gate-1")
    (runs / "linked").symlink_to(tmp_path / "elsewhere")
    (runs / "half").mkdir()
    (runs / "half" / "runs").symlink_to(tmp_path / "elsewhere" / "runs")
    (tmp_path / "all").symlink_to("runs")
    code, output = heal("--runs", tmp_path / "all")
    assert (code, output.count("already as it should be")) == (0, 1)
    assert (pending(inside / "undo.jsonl"), len(pending(elsewhere / "undo.jsonl"))) == ([], 1)


def test_the_folder_of_a_gate_stands_for_its_runs(tmp_path: Path) -> None:
    gate = tmp_path / "gate-1"
    folders = [make_run(gate / "runs", name, START) for name in ("small-1", "small-2")]
    (gate / "gate.json").touch()
    assert heal(gate)[0] == 0
    assert [pending(folder / "undo.jsonl") for folder in folders] == [[], []]
    assert heal(gate) == (0, f"{gate}: no run has left anything to undo\n")


def test_a_run_that_cannot_be_healed_does_not_keep_the_others(tmp_path: Path) -> None:
    (make_run(tmp_path, "bad") / "undo.jsonl").write_text("garbage}\n")
    going_on, good = make_run(tmp_path, "busy", START), make_run(tmp_path, "good", START)
    held = lock_folder(going_on)
    assert held is not None
    try:
        code, output = heal("--runs", tmp_path)
        assert code == 2
        assert f"{tmp_path / 'bad' / 'undo.jsonl'}:1: not JSON" in output
        assert f"left alone: {going_on}: the run is still going on" in output
        assert (len(pending(going_on / "undo.jsonl")), pending(good / "undo.jsonl")) == (1, [])
        make_run(tmp_path, "stuck", LEFT)
        assert heal("--runs", tmp_path)[0] == 5
        with pytest.raises(UserError, match="still going on"):
            heal_runs(going_on, runs=tmp_path, dry_run=False)
    finally:
        os.close(held)


def test_what_cannot_be_undone_is_said_with_its_command_and_code_5(tmp_path: Path) -> None:
    code, output = heal(make_run(tmp_path, "one", LEFT))
    assert code == 5
    assert "f1: request (tpu-0): FAILED: the record does not say which process has the port" in output
    assert 'by hand: curl -X DELETE -H "X-Brownout-Token: TOKEN" http://127.0.0.1:9/behaviours/f1' in output
    assert "1 of 1 not undone" in output
    assert json.loads((tmp_path / "one" / "undo.jsonl").read_text().splitlines()[-1])["failed"]


@pytest.mark.long
def test_a_run_is_named_by_its_folder_or_its_name_below_the_runs(tmp_path: Path) -> None:
    make_run(tmp_path, "one", START)
    assert heal("one", "--runs", tmp_path)[0] == 0
    (tmp_path / "empty").mkdir()
    for word, message in (("two", "no such folder"), (str(tmp_path / "empty"), "not the folder of a run")):
        wrong = brownout("heal", word, "--runs", str(tmp_path))
        assert (wrong.returncode, message in wrong.stderr, "Traceback" in wrong.stderr) == (2, True, False)
    assert brownout("heal", "--runs", str(tmp_path / "none")).returncode == 2


@pytest.mark.long
def test_a_run_whose_runner_and_shepherd_were_killed_is_healed(tmp_path: Path) -> None:
    fault = "{at: 0s, for: 60s, freeze: {replica: right-0}}"
    run = Run(write_experiment(tmp_path, fault=fault), tmp_path / "runs")
    try:
        run.stage("confirmed")
        busy = brownout("heal", str(run.folder))
        assert busy.returncode == 2
        assert f"kill -INT {run.process.pid}" in busy.stderr
        [shepherd] = [one.pid for one in who_holds(run.folder) if one.what == "shepherd"]
        run.process.send_signal(signal.SIGSTOP)  # so that it cannot clean up after its shepherd
        os.kill(shepherd, signal.SIGKILL)
        run.process.kill()
        run.end()
        run.nothing_left()
        assert [one.fault for one in pending(run.folder / "undo.jsonl")] == ["f1"]
        assert report(run.folder)[0] == 5
        healed = brownout("heal", "--runs", str(run.runs))
        assert healed.returncode == 0, healed.stdout + healed.stderr
        assert "f1: signal (right-0): already as it should be: process" in healed.stdout
        code, output = report(run.folder)
        assert code == 5
        assert "undone later by brownout heal" in output
    finally:
        kill_all_of(tmp_path)


@pytest.mark.slow
@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
def test_a_run_whose_shepherd_was_killed_has_undone_its_fault(tmp_path: Path) -> None:
    fault = "{at: 0s, for: 60s, kill: {replica: right-0}}"
    run = Run(write_experiment(tmp_path, fault=fault), tmp_path / "runs")
    try:
        run.stage("confirmed")
        [shepherd] = [one.pid for one in who_holds(run.folder) if one.what == "shepherd"]
        os.kill(shepherd, signal.SIGKILL)
        assert run.end() == 5
        assert "every fault was reverted" in run.output
        assert "NOT REVERTED" not in run.output
        assert pending(run.folder / "undo.jsonl") == []
    finally:
        kill_all_of(tmp_path)
