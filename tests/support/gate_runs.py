"""Runs of a gate without playing: reports with planted values, and a player that hands them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench.repeats import gate_row, report_of
from brownout.result import ExperimentResult, Result
from chaos.cli.gate.plan import planned_conditions
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun
from chaos.experiment.model import Experiment, load_experiment
from reports.gating.outcome import EXIT_CODES, concluded
from reports.shared.machine import machine_text, this_machine
from reports.writers.gate.gate_json import write_gate_json
from tests.support.compared_reports import compared_report
from tests.support.run_helpers import write_experiment

__all__ = ["FakeClock", "FakePlayer", "gate_folder", "run_report", "write_run"]

VALUES: dict[str, float | None] = {
    "calls": 400.0,
    "sessions": 70.0,
    "sessions_lost": 0.0,
    "session_success": 1.0,
    "goodput": 500.0,
    "ttft.p95": 0.5,
    "e2e.p95": 4.0,
    "retry_amplification": 1.1,
    "cost.per_1k_sessions": 9.0,
}


def run_report(
    experiment: Experiment,
    *,
    lost: int = 0,
    verdict: str | None = None,
    values: Mapping[str, float | None] | None = None,
    severe: str = "",
) -> dict[str, Any]:
    """The report of a run of this experiment. `lost`: sessions, of which its gate allows none."""
    played = planned_conditions(experiment)
    rows = [gate_row("sessions_lost == 0", "fact", "count", "==", 0, lost, why=f"{lost} sessions lost")]
    report = report_of(rows, experiment.seed)
    found = {**VALUES, "sessions_lost": float(lost), **(values or {})}
    _, compared = compared_report(
        found,
        seed=experiment.seed,
        stack=experiment.stack.name if experiment.stack is not None else "",
        phases_s=played.phases_s,
        name=experiment.name,
        title=experiment.title,
        profile=played.profile,
        slo=played.slo,
        machine=machine_text(*this_machine()),
        duration_s=60.0,
        description="",
        short_form=experiment.short_form,
        headline_gate=rows[0]["text"],
    )
    doubts = [severe] if severe else []
    its = {"folder": f"20261128-200000-{experiment.name}", **compared["run"]}
    report |= {"run": its, "phases": compared["phases"], "measures": compared["measures"]}
    report |= {"explanation": {"sentence": f"{lost} sessions were lost."}, "failures": [], "timeline": {}}
    report["proofs"] |= {"doubts": doubts, "machine_doubts": doubts, "severe_doubts": doubts}
    of_gates = str(report["verdict"]["verdict"])
    if severe:
        of_gates = "inconclusive"
        report["gates"] = [{**rows[0], "verdict": "inconclusive", "judged": "inconclusive", "why": severe}]
    word = verdict or of_gates
    code = EXIT_CODES.get({"metastable": "fail", "overloaded": "fail"}.get(word, word), 5)  # type: ignore[call-overload]
    report["verdict"] = {"verdict": word, "exit_code": code, "why": [f"because of {word}"]}
    return report


def write_run(folder: Path, report: Mapping[str, Any]) -> Path:
    """The folder of a run with this report."""
    folder.mkdir(parents=True)
    (folder / "events.jsonl").touch()
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def gate_folder(folder: Path, name: str = "small", seeds: int = 5, **report: Any) -> Path:
    """What a gate leaves: runs of a head and of a base on the same target, gate.json, and a link to one of them."""
    experiment, runs = write_experiment(folder), folder / "gate" / "runs"
    played = []
    sides: dict[Literal["head", "base"], str] = {"head": "", "base": "-base"}
    for seed in range(1, seeds + 1):
        for side, suffix in sides.items():
            its_seed = seed + (100 if side == "base" else 0)
            made = run_report(load_experiment(experiment, seed=its_seed), **report)
            made["run"]["name"] = name
            own = write_run(runs / f"{name}{suffix}-{seed}", made)
            code = made["verdict"]["exit_code"]
            one = concluded(
                own, made, side=side, seed=its_seed, verdict="", exit_code=code, command="", below=runs.parent
            )
            played.append(one.run)
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "latest").symlink_to(f"{name}-1")
    found = ExperimentResult(name, "", name, "pass", 0, (), (), tuple(played), 1.0)
    write_gate_json(Result("pass", 0, (), (found,), "2026-11-28T20:00:00Z", 1.0, "", "0.1.0"), runs.parent)
    return runs.parent


class FakeClock:
    """A clock that stands still but for `tick`."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class FakePlayer:
    """Stands in for `play_series`: each run writes the report that `make` gives; `took_s` passes on the clock.

    `make(experiment, side, number)` returns a report, an exit code without one, or raises.
    """

    make: Callable[[Experiment, str, int], dict[str, Any] | int]
    clock: FakeClock = field(default_factory=FakeClock)
    took_s: float = 60.0
    turns: list[tuple[str, int]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    retries: list[int] = field(default_factory=list)
    left_fault_at: int = 0

    def __call__(
        self,
        output: Output,
        experiment: Experiment,
        *,
        retries: int,
        command: str,
        on_played: Callable[[PlayedRun], None],
    ) -> list[PlayedRun]:
        run = self._played(output, experiment, retries, command)
        on_played(run)
        return [run]

    def _played(self, output: Output, experiment: Experiment, retries: int, command: str) -> PlayedRun:
        side = "base" if output.suffix == "-base" else "head"
        self.turns.append((side, experiment.seed))
        self.commands.append(command)
        self.retries.append(retries)
        made = self.make(experiment, side, len(self.turns))
        self.clock.now_s += self.took_s
        folder = output.place(experiment.name)
        assert isinstance(folder, Path)
        folder.mkdir(parents=True)
        (folder / "events.jsonl").touch()
        if isinstance(made, int):
            word = {130: "interrupted", 4: "aborted"}.get(made, "failed")
            return PlayedRun(folder, made, word, last=made == 130, why=f"because of {word}", duration_s=3.0)
        (folder / "report.json").write_text(json.dumps(made))
        its = made["verdict"]
        run = PlayedRun(folder, its["exit_code"], its["verdict"], report=made)
        return replace(run, last=True, exit_code=5) if len(self.turns) == self.left_fault_at else run
