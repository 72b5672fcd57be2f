"""`--retry-inconclusive`: which runs are played again, what is said about it, and the exit code of all of them."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos.cli import retry_inconclusive
from chaos.cli.console import open_console
from chaos.cli.output import Output
from chaos.cli.play import Recorded
from chaos.cli.retry_inconclusive import machine_reasons, play_and_retry, series_code
from chaos.experiment.model import load_experiment
from chaos.supervision.left_over import LeftOver
from reports.analysis import analyse
from tests.support.record_builder import good_run
from tests.support.run_helpers import Run, brownout, write_experiment

LATE = "25.0% of the replicas' tokens were over 20 ms late (limit 1%)"
FEW = "ttft.p95 <= 2 s: 12 calls are too few: p95 needs 72"
CODES = {"pass": 0, "fail": 1, "overloaded": 1, "inconclusive": 3, "aborted": 4, "failed": 5, "interrupted": 130}


def report(verdict: str, why: Sequence[str] = (), machine: Sequence[str] = ()) -> dict[str, Any]:
    proofs = {"doubts": list(machine), "machine_doubts": list(machine)}
    return {"verdict": {"verdict": verdict, "exit_code": CODES[verdict], "why": list(why)}, "proofs": proofs}


BUSY = report("inconclusive", [f"ttft.p95 <= 2 s: 1.2 s, as required (<= 2 s); but {LATE}"], [LATE])
TOO_FEW = report("inconclusive", [FEW, "the fault f1 hit nothing"])
PASS = report("pass", ["all 2 gates passed"])
FAIL = report("fail", ["sessions_lost == 0: 3, not == 0"])


def analysed(folder: Path, *, late: int, gates: Sequence[str]) -> dict[str, Any]:
    """report.json of a record in which `late` of 1,000 tokens were late."""
    record = good_run(folder)
    record.experiment["gates"] = list(gates)
    for at, tokens, slow in ((4.0, 0, 0), (50.0, 1000, late)):
        counts = {"20": tokens - slow, "50": slow, "inf": 0}
        data = {"token_lateness_ms": {"count": tokens, "buckets": counts}}
        record.gauge("gpu-0", at, kind="replica", data=data)
    return dict(analyse(record.write()).data)


def test_a_busy_machine_that_leaves_a_gate_undecided_is_the_reason(tmp_path: Path) -> None:
    found = analysed(tmp_path / "run", late=250, gates=["ttft.p50 in baseline <= 2 s"])
    assert found["verdict"]["verdict"] == "inconclusive"
    (reason,) = machine_reasons(found)
    assert "25.0% of the replicas' tokens were over 20 ms late" in reason


def test_a_busy_machine_is_no_reason_where_no_undecided_gate_names_it(tmp_path: Path) -> None:
    found = analysed(tmp_path / "run", late=0, gates=["failover.max <= 5 s"])
    assert found["verdict"]["verdict"] == "inconclusive"
    assert machine_reasons(found) == ()
    assert machine_reasons(report("inconclusive", [FEW], [LATE])) == ()


def test_a_decided_run_has_no_reason_to_be_played_again() -> None:
    assert machine_reasons(report("pass", ["all 2 gates passed"], [LATE])) == ()
    assert machine_reasons(report("fail", [f"sessions_lost == 0: 3, not == 0; but {LATE}"], [LATE])) == ()


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([3, 0], 0),
        ([3, 3], 3),
        ([3, 1], 1),
        ([1, 0], 1),
        ([0, 3], 0),
        ([3, 5], 5),
        ([3, 4], 4),
        ([3, 130], 130),
        ([0], 0),
    ],
)
def test_a_failed_run_decides_a_series_and_an_inconclusive_one_does_not(codes: list[int], code: int) -> None:
    assert series_code(codes) == code


class Scripted:
    """Stands in for the runs: each writes the next of the given reports."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *reports: dict[str, Any] | int) -> None:
        self.seeds: list[int] = []
        self.commands: list[str] = []
        self.output = io.StringIO()
        self._reports = reports
        self._folder = folder
        monkeypatch.setattr(retry_inconclusive, "record", self.record)
        monkeypatch.setattr(retry_inconclusive, "conclude", self.conclude)

    def record(self, output: Output, experiment: Any, *, command: str) -> Recorded:
        self.seeds.append(experiment.seed)
        self.commands.append(command)
        path = output.runs / f"run-{len(self.seeds)}"
        path.mkdir(parents=True)
        made = self._reports[len(self.seeds) - 1]
        if not isinstance(made, int):
            (path / "report.json").write_text(json.dumps(made))
        return Recorded(path, None, None, LeftOver(path, 0, [], ""))

    def conclude(self, console: object, recorded: Recorded) -> int:
        made = self._reports[len(self.seeds) - 1]
        return made if isinstance(made, int) else int(made["verdict"]["exit_code"])

    def play(self, retries: int) -> int:
        experiment = load_experiment(write_experiment(self._folder))
        output = Output(self._folder / "runs", quiet=True, console=open_console(self.output, width=300))
        played = play_and_retry(output, experiment, retries=retries, command="again")
        return series_code([run.exit_code for run in played])

    @property
    def lines(self) -> list[str]:
        return self.output.getvalue().splitlines()


def test_a_doubtful_machine_is_named_and_the_same_seed_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Scripted(monkeypatch, tmp_path, BUSY, BUSY, PASS)
    assert runs.play(retries=5) == 0
    assert runs.seeds == [3, 3, 3]
    assert f"playing it again, with the same seed (retry 2 of at most 5): this machine left it undecided: {LATE}" in (
        runs.lines
    )
    folder = tmp_path / "runs"
    assert runs.lines[-3:] == [
        f"  inconclusive  {folder / 'run-1'}",
        f"  inconclusive  {folder / 'run-2'}",
        f"  pass          {folder / 'run-3'}",
    ]
    assert len(list(folder.iterdir())) == 3


def test_a_failed_run_ends_the_series_and_fails_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Scripted(monkeypatch, tmp_path, BUSY, FAIL, PASS)
    assert runs.play(retries=5) == 1
    assert len(runs.seeds) == 2


def test_a_machine_that_stays_busy_is_inconclusive_after_n_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Scripted(monkeypatch, tmp_path, BUSY, BUSY, BUSY, PASS)
    assert runs.play(retries=2) == 3
    assert len(runs.seeds) == 3
    assert any(
        line.startswith(f"still inconclusive after 3 runs, because of this machine: {LATE}") for line in runs.lines
    )


def test_a_run_that_is_inconclusive_for_another_reason_is_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Scripted(monkeypatch, tmp_path, TOO_FEW, PASS)
    assert runs.play(retries=2) == 3
    why = f"Inconclusive because of {FEW} (and 1 more: see the report)"
    assert runs.lines == [f"not played again: this machine was not the reason. {why}"]


@pytest.mark.parametrize("code", [130, 5, 4])
def test_a_run_that_ended_early_ends_the_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    runs = Scripted(monkeypatch, tmp_path, BUSY, code, PASS)
    assert runs.play(retries=5) == code
    assert len(runs.seeds) == 2
    word = {130: "interrupted", 5: "failed", 4: "aborted"}[code]
    assert [line.split()[0] for line in runs.lines[-2:]] == ["inconclusive", word]


def test_ctrl_c_during_the_analysis_ends_the_series_and_lists_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Scripted(monkeypatch, tmp_path, BUSY, 130)
    assert runs.play(retries=5) == 130
    assert runs.lines[-1].startswith("  interrupted")


@pytest.mark.parametrize("n", ["0", "-1", "x", "100", "1.5", ""])
def test_a_bad_number_of_retries_is_an_error_before_any_run(tmp_path: Path, n: str) -> None:
    done = brownout("run", "cut-streams", "--retry-inconclusive", n, "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert "Invalid value for '--retry-inconclusive'" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_twin_is_not_played_with_retries(tmp_path: Path) -> None:
    done = brownout("run", "cut-streams", "--twin", "--retry-inconclusive", "1", "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert "--twin and --retry-inconclusive exclude each other" in done.stderr
    assert not (tmp_path / "runs").exists()


def hold_up(run: Run, replica: str) -> None:
    """Stop a replica for 0.4 s, so that the tokens due in that time are late."""
    pid = run.pid(replica)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(0.4)  # how long it is stopped
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.long
def test_a_run_whose_replica_was_held_up_is_played_again(tmp_path: Path) -> None:
    """Its tokens are late without a fault on it, as on a busy machine."""
    experiment = write_experiment(tmp_path, gates="sessions_lost == 0, ttft.p50 >= 1 ms")
    run = Run(experiment, tmp_path / "runs", "--quiet", "--retry-inconclusive", "1")
    run.reached("baseline")
    hold_up(run, "left-0")
    run.reached("recovery")
    hold_up(run, "left-0")
    code = run.end(110)
    folders = sorted((tmp_path / "runs").glob("*-*"))
    assert len(folders) == 2, run.output
    reports = [json.loads((folder / "report.json").read_text()) for folder in folders]
    assert machine_reasons(reports[0])
    assert code == reports[1]["verdict"]["exit_code"]
    assert all(str(folder) in run.output for folder in folders)
    assert [yaml.safe_load((folder / "experiment.yaml").read_text())["seed"] for folder in folders] == [3, 3]
    assert "--retry-inconclusive" not in reports[0]["run"]["command"]
    run.nothing_left()
