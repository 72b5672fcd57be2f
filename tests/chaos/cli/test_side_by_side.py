"""One command line with several stacks or seeds."""

from __future__ import annotations

import json
import shlex
import signal
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from chaos.cli import retry_inconclusive, side_by_side
from chaos.cli.output import Output
from chaos.cli.play import Recorded
from chaos.cli.side_by_side import Variant, combinations, most_severe_code, own_command, play_side_by_side
from chaos.experiment.model import Experiment, load_experiment
from chaos.supervision.left_over import LeftOver
from reports.gates.verdict import EXIT_CODES, Verdict
from tests.support.run_helpers import Run, brownout, write_experiment


def test_every_stack_is_played_with_every_seed() -> None:
    assert combinations(["a", "b"], None, [1, 2]) == [
        ("a", None, 1),
        ("a", None, 2),
        ("b", None, 1),
        ("b", None, 2),
    ]
    assert combinations(None, ["nginx"], [1, 2]) == [(None, "nginx", 1), (None, "nginx", 2)]
    assert combinations(None, None, None) == [(None, None, None)]
    assert combinations(["a"], [], []) == [("a", None, None)]


@pytest.mark.parametrize(
    ("codes", "most_severe"), [([0, 3], 3), ([0, 1, 3], 1), ([4, 3], 4), ([1, 5, 4], 5), ([5, 130], 130), ([0, 0], 0)]
)
def test_the_exit_code_of_several_runs_follows_the_precedence(codes: list[int], most_severe: int) -> None:
    assert most_severe_code(codes) == most_severe


def test_each_record_has_the_command_that_plays_its_run_alone() -> None:
    words = shlex.split("brownout run 'my file.yaml' --stack a --seed=1 --stack=b --seed 2 --quiet")
    assert own_command(words, Variant("a", None, 2), 2) == "brownout run 'my file.yaml' --quiet --stack a --seed 2"
    assert own_command(words, Variant(None, None, 2), 2) == "brownout run 'my file.yaml' --quiet --seed 2"
    words = shlex.split("brownout run x --retry-inconclusive 2 --seed 1 --seed 2 --retry-inconclusive=3 --short")
    assert own_command(words, Variant(None, None, 1), 1) == "brownout run x --short --seed 1"


class Scripted:
    """Stands in for the runs of each seed: their verdicts, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, verdicts: dict[int, list[str]]) -> None:
        self.compared: list[str] = []
        self._verdicts = verdicts
        monkeypatch.setattr(retry_inconclusive, "record", self.record)
        monkeypatch.setattr(retry_inconclusive, "conclude", self.conclude)
        monkeypatch.setattr(side_by_side, "print_comparison", self.compare)

    def record(self, output: Output, experiment: Experiment, *, command: str) -> Recorded:
        verdict = self._verdicts[experiment.seed].pop(0)
        path = output.runs / f"{experiment.seed}-{verdict}"
        path.mkdir(parents=True)
        why = ["ttft.p50 <= 1 s: 0.5 s; but tokens were late"]
        report = {"verdict": {"verdict": verdict, "why": why}, "proofs": {"machine_doubts": ["tokens were late"]}}
        (path / "report.json").write_text(json.dumps(report))
        return Recorded(path, None, None, LeftOver(path, 0, [], ""), verdict == "interrupted")

    def conclude(self, console: object, recorded: Recorded) -> int:
        return int(EXIT_CODES[cast(Verdict, recorded.folder.name.split("-")[1])])

    def compare(self, folders: list[Path], out: Path, *, as_json: bool, spread: Path | None, console: object) -> None:
        self.compared = [folder.name for folder in folders]

    def play(self, folder: Path, retries: int) -> int:
        path = write_experiment(folder)
        plays = [(Variant(None, None, seed), load_experiment(path, seed=seed)) for seed in (1, 2)]
        output = Output(folder / "runs", quiet=True)
        return play_side_by_side(output, plays, retries=retries, words=["brownout"])[0]


def test_each_seed_has_its_own_retries_and_its_last_run_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Scripted(monkeypatch, {1: ["inconclusive", "pass"], 2: ["pass"]})
    assert runs.play(tmp_path, retries=1) == 0
    assert runs.compared == ["1-pass", "2-pass"]
    listed = [line.split(":")[0].split() for line in capsys.readouterr().out.splitlines()[-3:]]
    assert listed == [
        [word, "stack", "small,", "seed", seed] for word, seed in (("inconclusive", "1"), ("pass", "1"), ("pass", "2"))
    ]


def test_a_failed_seed_fails_all_and_an_interrupted_one_ends_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert Scripted(monkeypatch, {1: ["inconclusive", "fail"], 2: ["pass"]}).play(tmp_path / "a", retries=1) == 1
    runs = Scripted(monkeypatch, {1: ["inconclusive", "interrupted"], 2: ["pass"]})
    assert runs.play(tmp_path / "b", retries=1) == 130
    assert runs.compared == []
    assert len(list((tmp_path / "b" / "runs").iterdir())) == 2


def test_a_run_that_left_a_fault_is_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Scripted(monkeypatch, {1: ["failed"], 2: ["pass"]})
    left = LeftOver(tmp_path, 1, [], "the file cannot be read")
    monkeypatch.setattr(
        retry_inconclusive, "record", lambda *given, **more: replace(runs.record(*given, **more), left=left)
    )
    assert runs.play(tmp_path, retries=0) == 5
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_without_retries_each_seed_is_played_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Scripted(monkeypatch, {1: ["inconclusive"], 2: ["pass"]}).play(tmp_path, retries=0) == 3
    assert "runs played" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.long  # in make test: two runs and their comparison, in test_twin.py
def test_several_stacks_are_played_one_after_the_other_and_compared(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    stack = tmp_path / "small-stack.yaml"
    other = tmp_path / "other-stack.yaml"
    other.write_text(stack.read_text().replace("name: small", "name: other"))
    run = Run(experiment, tmp_path / "runs", "--stack", str(stack), "--stack", str(other), "--quiet")
    assert run.end(110) == 0, run.output
    first, second, comparison = sorted((tmp_path / "runs").glob("*-*"))
    assert {path.name for path in comparison.iterdir()} == {"comparison.html", "comparison.json", "comparison.md"}
    compared = json.loads((comparison / "comparison.json").read_text())
    assert [one["label"] for one in compared["runs"]] == ["small", "other"]
    assert [one["folder"] for one in compared["runs"]] == [first.name, second.name]
    kept = [json.loads((folder / "report.json").read_text())["run"]["command"] for folder in (first, second)]
    assert [command.split("--stack ")[1:] for command in kept] == [[f"{stack} --seed 3"], [f"{other} --seed 3"]]
    again = brownout("compare", str(first), str(second), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["gates"] == compared["gates"]


@pytest.mark.slow
def test_ctrl_c_ends_the_current_run_and_starts_no_further_one(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    run = Run(experiment, tmp_path / "runs", "--seed", "1", "--seed", "2", "--quiet")
    run.reached("baseline")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    assert len(list((tmp_path / "runs").glob("*-*"))) == 1
    run.nothing_left()


def test_a_record_of_several_gateways_has_the_command_of_its_own() -> None:
    words = shlex.split("brownout run x --gateway nginx --gateway=nginx:tuned --stack naive --quiet")
    command = own_command(words, Variant("naive", "nginx:tuned", 7), 7)
    assert command == "brownout run x --quiet --stack naive --gateway nginx:tuned --seed 7"
