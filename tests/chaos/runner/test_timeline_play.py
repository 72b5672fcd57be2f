"""The runner executes the steps of the timeline at their times, and reverts every fault however the run ends.

The runs are played in virtual time: faults act on a world in memory, and the load generator is a coroutine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chaos.experiment.model import TwinOf
from chaos.experiment.timeline import steps
from chaos.faults.world import FaultError, Undo
from chaos.runner import timeline_play
from chaos.runner.confirmation import LiveShare, grace_s
from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import EventLog
from chaos.runner.timeline_play import LOAD_STARTS_WITHIN_S
from chaos.supervision.undo import UndoNotWritten
from chaos.testing.memory_world import MemoryWorld
from tests.support.timeline_rig import Conditions, experiment, planned, played

STEADY_STATE = "steady_state: [slo_attainment >= 90%]\n"
KILL = "{at: 1s, for: 6s, kill: {pool: tpu}}"
LATENCY = "{at: 3s, for: 2s, latency: {pool: nvidia, delay: 1s}}"


# -- the plan ---------------------------------------------------------------------------------------------------------
def test_every_step_is_executed_at_its_planned_time_and_in_order(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL, LATENCY, more="  confirm_metastable: true\n" + STEADY_STATE)
    result = played(made, tmp_path)
    assert [step for step in result.done if step[1] != "analysis"] == planned(made)
    assert {action for _, action, _ in result.done} == {
        *("phase", "judge_steady_state", "inject", "revert", "confirm_metastable", "analysis")
    }
    assert result.ended is None
    assert result.lasted_s == steps(made)[-1].at_s
    every_stage = ["planned", "injected", "confirmed", "reverted", "verified"]
    assert result.stages == {"f1": every_stage, "f2": every_stage}


def test_the_times_count_from_the_start_of_the_load_however_late_it_is_reported(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL)
    result = played(made, tmp_path, Conditions(reported_after_s=3.0))
    assert [step for step in result.done if step[1] != "analysis"] == planned(made)


def test_a_run_without_faults_has_warmup_baseline_and_drain(tmp_path: Path) -> None:
    result = played(experiment(tmp_path), tmp_path)
    assert result.phases() == [("warmup", 0), ("baseline", 5), ("drain", 15)]


def test_a_twin_without_faults_has_the_phases_of_the_run_with_faults(tmp_path: Path) -> None:
    made = replace(experiment(tmp_path), twin_of=TwinOf("runs/with-faults", 6.0))
    result = played(made, tmp_path)
    assert result.phases() == [("warmup", 0), ("baseline", 5), ("fault", 15), ("recovery", 21), ("drain", 41)]
    assert result.stages == {}
    assert result.lasted_s == 49


# -- what takes longer than planned -----------------------------------------------------------------------------------
class SlowToStart(MemoryWorld):
    """A replica takes `start_s` seconds to start."""

    def __init__(self, start_s: float) -> None:
        super().__init__()
        self.start_s = start_s

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        await asyncio.sleep(self.start_s)
        await super().start(name, cold_start_s=cold_start_s)


def test_a_slow_revert_delays_the_recovery_which_keeps_its_length(tmp_path: Path) -> None:
    result = played(experiment(tmp_path, KILL), tmp_path, Conditions(SlowToStart(4.0)))
    assert result.phases() == [("warmup", 0), ("baseline", 5), ("fault", 16), ("recovery", 26), ("drain", 46)]
    assert result.lasted_s == 54


def test_a_slow_revert_that_ends_before_the_last_fault_delays_nothing(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL, "{at: 8s, for: 5s, latency: {pool: nvidia, delay: 1s}}")
    result = played(made, tmp_path, Conditions(SlowToStart(4.0)))
    assert dict(result.phases())["recovery"] == 28
    assert (26, "revert", "f1") in result.done


def test_a_fault_waits_for_a_replica_that_an_earlier_one_left_starting(tmp_path: Path) -> None:
    """The kill ends after 7 s, its replicas are ready 4 s later, and the next faults are planned at 8 s and 9 s."""
    made = experiment(
        tmp_path, KILL, "{at: 8s, for: 3s, stall: {pool: tpu}}", "{at: 9s, for: 3s, stall: {pool: nvidia}}"
    )
    result = played(made, tmp_path, Conditions(SlowToStart(4.0)))
    times = {(action, what): at_s for at_s, action, what in result.done}
    assert times["revert", "f1"] == times["inject", "f2"] == 26
    assert (times["revert", "f2"], times["inject", "f3"], times["revert", "f3"]) == (29, 27, 30)
    assert dict(result.phases())["recovery"] == 30


def test_rounding_lets_no_fault_wait_for_a_later_step(tmp_path: Path) -> None:
    made = experiment(
        tmp_path,
        "{at: 300ms, for: 7900ms, latency: {pool: tpu, delay: 1s}}",
        "{at: 8200ms, for: 1s, kill: {pool: tpu}}",
    )
    result = played(made, tmp_path)
    assert result.ended is None
    assert result.stages["f2"][-1] == "verified"


def test_a_fault_waits_for_no_earlier_one_on_other_replicas(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL, "{at: 8s, for: 3s, stall: {pool: nvidia}}")
    result = played(made, tmp_path, Conditions(SlowToStart(4.0)))
    assert (23, "inject", "f2") in result.done


def test_a_notice_that_is_not_used_up_leaves_the_recovery_its_length(tmp_path: Path) -> None:
    made = experiment(tmp_path, "{at: 0s, for: 2s, terminate: {pool: tpu, notice: 30s, cold_start: 0s}}")
    assert [step.at_s for step in steps(made) if step.what in ("recovery", "drain")] == [45, 65]
    assert played(made, tmp_path).phases()[-3:] == [("fault", 15), ("recovery", 17), ("drain", 37)]


def test_a_slow_steady_state_judgement_delays_everything_that_follows(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL, more=STEADY_STATE)
    result = played(made, tmp_path, Conditions(judging_s=3.0))
    delayed = [(at_s + (3 if at_s > 15 else 0), action, what) for at_s, action, what in planned(made)]
    assert [step for step in result.done if step[1] != "analysis"] == delayed
    assert result.lasted_s == steps(made)[-1].at_s + 3


# -- early ends -------------------------------------------------------------------------------------------------------
def test_a_failing_steady_state_drains_and_ends_the_run_without_injection(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL, more=STEADY_STATE)
    conditions = Conditions(not_steady="slo_attainment >= 90%: it was 40%", sessions_end_s=2.0)
    result = played(made, tmp_path, conditions)
    assert result.ended is not None
    assert (result.ended.event, result.ended.why, result.ended.exit_code) == ("not_steady", conditions.not_steady, 1)
    assert result.phases() == [("warmup", 0), ("baseline", 5), ("drain", 15)]
    assert result.stages == {"f1": ["planned"]}
    assert conditions.world.log == []
    assert result.lasted_s == pytest.approx(17, abs=0.25)


@pytest.mark.parametrize(("more", "at_s"), [("", 16), (STEADY_STATE, 15)])
def test_a_load_that_is_not_carried_ends_the_run_before_a_fault(tmp_path: Path, more: str, at_s: float) -> None:
    """Also before a steady state is judged, and without a drain. The first fault begins at second 16."""
    made = experiment(tmp_path, KILL, more=more)
    conditions = Conditions(not_carried="it served 4 of 90 calls", not_steady="slo_attainment >= 90%: it was 4%")
    result = played(made, tmp_path, conditions)
    assert result.ended is not None
    assert (result.ended.event, result.ended.why, result.ended.exit_code) == (
        "not_carried",
        "it served 4 of 90 calls",
        3,
    )
    assert result.done[-2:] == [(at_s, "phase", "drain"), (at_s, "analysis", "")]
    assert result.stages == {"f1": ["planned"]}
    assert result.lasted_s == at_s


def test_release_reverts_active_faults_and_leaves_the_others_uninjected(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL, LATENCY, "{at: 9s, for: 1s, freeze: {pool: trainium}}")
    conditions = Conditions(interrupted_at_s=19.0)
    result = played(made, tmp_path, conditions)
    assert result.ended is not None
    assert (result.ended.event, result.ended.exit_code) == ("interrupted", 130)
    assert result.stages == {
        "f1": ["planned", "injected", "confirmed", "reverted"],
        "f2": ["planned", "injected", "confirmed", "reverted"],
        "f3": ["planned"],
    }
    assert result.lasted_s == 19
    assert conditions.world.healthy
    assert set(conditions.world.armed) == {"f1", "f2"}, "until the end of the processes proves that they are undone"


class NeverStarts(MemoryWorld):
    """A killed replica cannot be started again."""

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        raise FaultError("the port is in use")


def test_a_fault_that_cannot_be_reverted_ends_the_run_with_exit_code_5(tmp_path: Path) -> None:
    result = played(experiment(tmp_path, KILL), tmp_path, Conditions(NeverStarts()))
    assert result.ended is not None
    assert (result.ended.event, result.ended.exit_code) == ("failed", 5)
    assert result.ended.why == "fault f1 (kill) could not be reverted: the port is in use"
    assert result.stages["f1"][-1] == "failed"
    assert "drain" not in dict(result.phases())
    assert "recovery" not in dict(result.phases())
    assert result.lasted_s == 22


class FullDisk(MemoryWorld):
    """The undo file cannot be written."""

    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        raise UndoNotWritten("cannot write undo.jsonl: the disk is full")


def test_a_fault_whose_undo_cannot_be_written_ends_the_run_with_exit_code_5(tmp_path: Path) -> None:
    conditions = Conditions(FullDisk())
    result = played(experiment(tmp_path, KILL), tmp_path, conditions)
    assert result.ended is not None
    assert (result.ended.exit_code, result.ended.why) == (5, "cannot write undo.jsonl: the disk is full")
    assert conditions.world.healthy
    assert result.lasted_s == 16


def test_a_load_that_does_not_start_ends_the_run_with_its_log(tmp_path: Path) -> None:
    result = played(experiment(tmp_path, KILL), tmp_path, Conditions(load_starts=False))
    assert result.ended is not None
    assert (result.ended.event, result.ended.exit_code) == ("failed", 5)
    assert result.ended.why == "the load did not start\n    locust: no such module"
    assert result.lasted_s == LOAD_STARTS_WITHIN_S - 1.0
    assert result.phases() == []


# -- the drain --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("sessions_end_s", "drain_s"), [(3.0, 3.0), (100.0, 8.0), (None, 8.0)])
def test_the_drain_ends_with_the_last_session_and_after_drain_s_at_the_latest(
    tmp_path: Path, sessions_end_s: float | None, drain_s: float
) -> None:
    made = experiment(tmp_path, KILL)
    result = played(made, tmp_path, Conditions(sessions_end_s=sessions_end_s))
    assert result.lasted_s - made.load_s == pytest.approx(drain_s, abs=0.25)  # the generator polls its command
    assert result.ended is None


def test_the_load_gets_its_commands_and_the_analysis_starts_with_the_drain(tmp_path: Path) -> None:
    made = experiment(tmp_path, KILL)
    result = played(made, tmp_path)
    assert result.commands == [(-1.0, "run"), (made.load_s, "drain")]
    assert [at_s for at_s, action, _ in result.done if action == "analysis"] == [made.load_s]


# -- confirmation -----------------------------------------------------------------------------------------------------
CONFIRM = "  confirm_metastable: true\n"


@dataclass
class Confirmations:
    """Stands in for `confirm`: keeps its arguments, and takes `lasts_s`."""

    lasts_s: float = 0.0
    calls: list[tuple[tuple[float, float], float]] = field(default_factory=list)

    async def __call__(
        self,
        watch: LiveShare,
        baseline: tuple[float, float],
        grace_s: float,
        *,
        load: LoadControl,
        events: EventLog,
        phase: Callable[[str, float], None],
        or_end: Callable[[Awaitable[None]], Awaitable[None]],
    ) -> None:
        self.calls.append((baseline, grace_s))
        await or_end(asyncio.sleep(self.lasts_s))


@pytest.mark.parametrize("reported_after_s", [0.5, 6.0])
def test_confirmation_gets_the_actual_baseline_window_by_the_clock_of_the_counters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reported_after_s: float
) -> None:
    """A load whose start is reported after the planned begin of the baseline has a later baseline."""
    confirmations = Confirmations()
    monkeypatch.setattr(timeline_play, "confirm", confirmations)
    made = experiment(tmp_path, KILL, more=CONFIRM + STEADY_STATE)
    result = played(made, tmp_path, Conditions(judging_s=3.0, reported_after_s=reported_after_s))
    [(baseline, grace)] = confirmations.calls
    begin_s = max(5.0, reported_after_s)
    assert dict(result.phases())["baseline"] == begin_s
    assert baseline == pytest.approx((result.zero + begin_s, result.zero + begin_s + 10.0))
    assert grace == grace_s(made.profile.client.timeout_s)


def test_a_confirmation_delays_the_drain_by_its_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_play, "confirm", Confirmations(lasts_s=7.0))
    made = experiment(tmp_path, KILL, more=CONFIRM)
    result = played(made, tmp_path)
    assert dict(result.phases())["drain"] == made.load_s + 7
    assert result.lasted_s == made.load_s + 7 + 8


def test_without_confirm_metastable_nothing_is_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    confirmations = Confirmations()
    monkeypatch.setattr(timeline_play, "confirm", confirmations)
    played(experiment(tmp_path, KILL), tmp_path)
    assert confirmations.calls == []
