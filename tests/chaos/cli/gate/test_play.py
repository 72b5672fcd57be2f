"""A gate that plays: its files, its verdict, and when it ends."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.repeats import gate_row
from brownout.result import Result
from chaos.cli.console import open_console
from chaos.cli.gate.budget import Budget
from chaos.cli.gate.plan import make_plans
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest
from chaos.cli.output import Output
from chaos.experiment.model import Experiment, load_experiment
from reports.shared.errors import UserError
from tests.support.gate_runs import FakePlayer, run_report
from tests.support.run_helpers import write_experiment

Make = Callable[[Experiment, str, int], dict[str, Any] | int]


def good(experiment: Experiment, side: str, number: int) -> dict[str, Any]:
    return run_report(experiment)


class Played:
    """A gate on the small experiment, played by a fake."""

    def __init__(self, folder: Path, make: Make = good, *, experiments: int = 1, took_s: float = 60.0, **options: Any):
        self.out = folder / "out"
        (self.out / "runs").mkdir(parents=True)
        path = write_experiment(folder)
        names = [str(path)]
        for number in range(1, experiments):
            other = path.with_name(f"other-{number}.yaml")
            other.write_text(
                path.read_text().replace("name: small\ntitle: A pool", f"name: other-{number}\ntitle: A pool")
            )
            names.append(str(other))
        if options.get("against"):
            options["against"] = str(folder / "small-stack.yaml")
        request = GateRequest(tuple(names), **options)
        self.player = FakePlayer(make, took_s=took_s)
        self.text = io.StringIO()
        budget = Budget(request.limit_s, self.player.clock)
        output = Output(folder / "runs", True, self.out, console=open_console(self.text, width=200))
        self.gate = GatePlay(output, request, make_plans(request), self.out, "brownout gate x", budget, self.player)

    def play(self) -> Result:
        return self.gate.play()


def test_a_gate_that_passes_has_its_files_at_fixed_places(tmp_path: Path) -> None:
    played = Played(tmp_path)
    result = played.play()
    assert (result.verdict, result.exit_code) == ("pass", 0)
    assert sorted(path.name for path in played.out.iterdir()) == ["gate.json", "junit.xml", "runs", "summary.md"]
    assert [path.name for path in (played.out / "runs").iterdir()] == ["small-1"]
    assert Result.read(played.out) == result
    [run] = result.experiments[0].runs
    assert (played.out / run.folder / "report.json").is_file()
    assert run.command.endswith("small.yaml --seed 3")


@pytest.mark.parametrize(
    ("verdict", "code", "expected"),
    [
        ("metastable", 1, "fail"),
        ("aborted", 4, "aborted"),
        ("failed", 5, "failed"),
        ("inconclusive", 3, "inconclusive"),
    ],
)
def test_a_single_run_is_its_own_verdict(tmp_path: Path, verdict: str, code: int, expected: str) -> None:
    result = Played(tmp_path, lambda experiment, *_: run_report(experiment, verdict=verdict)).play()
    assert (result.verdict, result.exit_code) == (expected, code)
    assert result.why == (f"small: because of {verdict}",)


def test_a_count_that_fails_in_one_of_several_runs_fails_the_gate(tmp_path: Path) -> None:
    result = Played(tmp_path, lambda one, side, number: run_report(one, lost=number == 2), repeat=3).play()
    assert result.verdict == "fail"
    [experiment] = result.experiments
    assert [run.verdict for run in experiment.runs] == ["pass", "fail", "pass"]
    assert "sessions_lost == 0" in experiment.why[0]
    assert experiment.commands[0].endswith("--seed 4"), "the run that decided comes first"


def test_a_run_of_a_busy_machine_does_not_count_beside_sound_ones(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        return run_report(one, lost=20 if number == 1 else 0, severe="the machine was late" if number == 1 else "")

    result = Played(tmp_path, make, repeat=3).play()
    assert result.verdict == "pass"
    assert [run.sound for run in result.experiments[0].runs] == [False, True, True]


def test_runs_that_all_do_not_count_are_inconclusive(tmp_path: Path) -> None:
    result = Played(tmp_path, lambda one, *_: run_report(one, severe="the machine was late"), repeat=2).play()
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    assert "the machine was late" in " ".join(result.why)


def test_a_stack_that_stays_down_in_one_of_several_runs_fails_the_gate(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        return run_report(one, verdict="metastable" if number == 2 else None)

    result = Played(tmp_path, make, repeat=3).play()
    assert result.verdict == "fail"
    assert "because of metastable" in result.why[0]


def test_a_failed_target_ends_its_experiment_and_the_next_one_is_played(tmp_path: Path) -> None:
    played = Played(tmp_path, lambda one, *_: 5 if one.name == "small" else run_report(one), experiments=2, repeat=2)
    result = played.play()
    assert (result.verdict, result.exit_code) == ("failed", 5)
    assert [one.verdict for one in result.experiments] == ["failed", "pass"]
    assert [len(one.runs) for one in result.experiments] == [1, 2]


def test_an_interrupted_run_is_the_last_one_and_names_what_was_not_played(tmp_path: Path) -> None:
    played = Played(tmp_path, lambda *_: 130, experiments=2, repeat=2)
    result = played.play()
    assert (result.verdict, result.exit_code) == ("interrupted", 130)
    assert played.player.turns == [("head", 3)]
    assert "not played: other-1" in result.why


def test_a_run_that_left_a_fault_is_the_last_one_and_exits_with_5(tmp_path: Path) -> None:
    played = Played(tmp_path, experiments=2)
    played.player.left_fault_at = 1
    result = played.play()
    assert result.exit_code == 5
    assert len(played.player.turns) == 1
    assert "not played: other-1" in result.why


def test_ctrl_c_between_runs_keeps_what_was_found(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        if number == 2:
            raise KeyboardInterrupt
        return run_report(one, lost=1)

    played = Played(tmp_path, make, repeat=3)
    result = played.play()
    assert result.exit_code == 130
    assert len(Result.read(played.out).experiments[0].runs) == 1


def test_a_gate_that_is_killed_leaves_no_verdict_that_passes(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        if number == 2:
            raise Killed
        return run_report(one)

    played = Played(tmp_path, make, repeat=3)
    with pytest.raises(Killed):
        played.play()
    left = Result.read(played.out)
    assert (left.verdict, left.exit_code) == ("interrupted", 130)
    assert len(left.experiments[0].runs) == 1
    assert "the gate has not ended" in left.why[0]
    assert 'errors="1"' in (played.out / "junit.xml").read_text()


def test_both_sides_are_compared_and_a_regression_fails(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        slower = 1.5 if side == "head" else 1.0
        return run_report(one, values={"ttft.p95": (0.5 + one.seed / 1000) * slower})

    played = Played(tmp_path, make, against="its own stack", repeat=5)
    result = played.play()
    [experiment] = result.experiments
    assert experiment.comparison is not None
    assert (result.verdict, experiment.comparison.pairs) == ("fail", 5)
    assert "ttft.p95" in result.why[0]
    assert [run.side for run in experiment.runs].count("base") == 5
    assert (played.out / "runs" / "small-base-5").is_dir()


def test_equal_sides_pass(tmp_path: Path) -> None:
    result = Played(tmp_path, against="its own stack").play()
    assert result.verdict == "pass", result.why


def test_a_base_that_cannot_be_played_is_said_so(tmp_path: Path) -> None:
    played = Played(tmp_path, lambda one, side, _: 5 if side == "base" else run_report(one), against="its own stack")
    result = played.play()
    assert result.exit_code == 5
    assert "the base side" in result.why[0]


def test_until_decided_ends_with_the_first_run_where_exact_gates_decide(tmp_path: Path) -> None:
    played = Played(tmp_path, until_decided=True)
    result = played.play()
    assert result.verdict == "pass"
    assert len(played.player.turns) == 1
    assert result.experiments[0].stopped.startswith("decided after 1 run")


def test_until_decided_goes_on_while_no_run_counts_and_gives_up(tmp_path: Path) -> None:
    played = Played(tmp_path, lambda one, *_: run_report(one, severe="late"), until_decided=True)
    result = played.play()
    assert result.verdict == "inconclusive"
    assert len(played.player.turns) == 3
    assert "ended after 3 runs" in result.experiments[0].stopped


def test_no_run_begins_that_would_end_after_the_time(tmp_path: Path) -> None:
    played = Played(tmp_path, took_s=200.0, repeat=3, within_s=450.0)
    result = played.play()
    assert len(played.player.turns) == 2
    assert "--within 7 min 30 s" in result.experiments[0].stopped


def test_retries_take_the_time_that_is_left(tmp_path: Path) -> None:
    played = Played(tmp_path, took_s=100.0, repeat=2, retries=5, within_s=300.0)
    played.play()
    assert played.player.retries[1] <= 1, "one run of 100 s, and at most one more"


def test_the_written_json_is_what_the_library_reads(tmp_path: Path) -> None:
    played = Played(tmp_path, against="its own stack")
    result = played.play()
    data = json.loads((played.out / "gate.json").read_text())
    assert Result.from_json(data) == result


RANDOM = "{at: 0s, random: 20s, times: 2, for: 1s, kill: {count: one}}"


def test_each_seed_draws_its_own_faults_as_the_command_to_play_it_again_does(tmp_path: Path) -> None:
    path = write_experiment(tmp_path, fault=RANDOM)
    [plan] = make_plans(GateRequest((str(path),), repeat=4))
    for turn in plan.turns():
        assert plan.of(turn).faults == load_experiment(path, seed=turn.seed).faults
    assert len({str(plan.of(turn).faults) for turn in plan.turns()}) > 1


def test_a_retry_that_passes_passes_the_gate(tmp_path: Path) -> None:
    class Again(FakePlayer):
        def __call__(self, output: Output, experiment: Experiment, **options: Any) -> list[Any]:
            return [run for _ in range(2) for run in super(Again, self).__call__(output, experiment, **options)]

    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        return run_report(one, severe="late" if number == 1 else "")

    played = Played(tmp_path, retries=1)
    played.gate._play_runs = Again(make)
    result = played.play()
    assert (result.verdict, result.exit_code) == ("pass", 0)
    assert [run.verdict for run in result.experiments[0].runs] == ["inconclusive", "pass"]


def test_fewer_runs_than_were_asked_for_cannot_pass(tmp_path: Path) -> None:
    result = Played(tmp_path, took_s=200.0, repeat=3, within_s=450.0).play()
    assert result.exit_code == 3
    assert "only 2 of 3 seeds were played" in result.why[0]


def test_fewer_runs_than_were_asked_for_may_have_failed(tmp_path: Path) -> None:
    made = Played(tmp_path, lambda one, *_: run_report(one, lost=1), took_s=200.0, repeat=3, within_s=450.0)
    assert made.play().exit_code == 1


def test_an_experiment_that_does_not_fit_into_the_time_is_not_begun(tmp_path: Path) -> None:
    played = Played(tmp_path, took_s=345.0, experiments=3, within_s=360.0)
    result = played.play()
    assert len(played.player.turns) == 1
    assert result.exit_code == 3
    assert [one.verdict for one in result.experiments] == ["pass", "inconclusive", "inconclusive"]
    assert "not played" in result.experiments[2].why[0]


def test_retries_leave_the_time_of_the_runs_that_follow(tmp_path: Path) -> None:
    played = Played(tmp_path, against="its own stack", retries=5, took_s=18.0, within_s=286.0)
    played.play()
    assert len(played.player.turns) == 12
    assert played.player.retries[0] < 5
    assert played.player.retries[-1] > 0


def test_runs_that_do_not_compare_end_the_series(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        report = run_report(one)
        report["run"]["slo"] = {"ttft": 1.0 if side == "base" else 2.0, "tpot": 0.5}
        return report

    played = Played(tmp_path, make, against="its own stack")
    result = played.play()
    assert len(played.player.turns) == 2
    assert (result.exit_code, "objectives" in result.why[0]) == (3, True)


def test_a_run_that_cannot_be_recorded_is_a_failed_gate_that_keeps_what_it_knows(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        if number == 2:
            raise UserError("cannot create the folder of the run: no space left")
        return run_report(one)

    result = Played(tmp_path, make, repeat=3).play()
    assert result.exit_code == 5
    assert "no space left" in result.why[0]
    assert len(result.experiments[0].runs) == 1


def test_a_result_that_cannot_be_written_is_a_failed_one(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        for name in ("gate.json", "junit.xml", "summary.md"):
            (tmp_path / "out" / name).unlink(missing_ok=True)
            (tmp_path / "out" / name).mkdir()
        return run_report(one)

    result = Played(tmp_path, make).play()
    assert result.exit_code == 5
    assert "cannot write the result" in result.why[0]
    assert result.experiments[0].verdict == "pass", "it is still printed"


def test_a_gate_json_says_that_another_file_could_not_be_written(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        (tmp_path / "out" / "junit.xml").unlink()
        (tmp_path / "out" / "junit.xml").mkdir()
        return run_report(one)

    played = Played(tmp_path, make)
    assert played.play().exit_code == 5
    written = Result.read(played.out)
    assert (written.verdict, written.exit_code) == ("failed", 5)


def test_ctrl_c_during_the_first_run_names_every_experiment_that_was_not_played(tmp_path: Path) -> None:
    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        raise KeyboardInterrupt

    result = Played(tmp_path, make, experiments=2).play()
    assert result.why == ("interrupted by the user", "not played: small, other-1")


def test_one_look_decides_no_more_than_its_gates_say(tmp_path: Path) -> None:
    rate = gate_row("session_success >= 90%", "rate", "share", ">=", 0.9, 0.95, interval=[0.93, 0.97])

    def make(one: Experiment, side: str, number: int) -> dict[str, Any]:
        report = run_report(one)
        return {**report, "gates": [*report["gates"], rate]}

    result = Played(tmp_path, make, until_decided=True, repeat=1).play()
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)


def test_ctrl_c_while_a_result_is_shown_is_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    played = Played(tmp_path, experiments=2)
    monkeypatch.setattr(played.gate, "_show", interrupted)
    result = played.play()
    assert result.exit_code == 130
    assert [one.verdict for one in result.experiments] == ["pass"]
    assert result.why == ("interrupted by the user", "not played: other-1")


def test_a_run_without_a_report_says_why_it_ended(tmp_path: Path) -> None:
    result = Played(tmp_path, lambda *_: 5).play()
    [run] = result.experiments[0].runs
    assert (run.why, run.duration_s) == (("because of failed",), 3.0)
    assert result.why == ("small: because of failed",)
