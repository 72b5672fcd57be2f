"""The verdict of a run: precedence and exit codes."""

from __future__ import annotations

from typing import get_args

import pytest

from reports.gates.verdict import EXIT_CODES, Verdict, decide
from reports.metastability.judging import Metastability
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged


def test_each_verdict_of_a_run_has_an_exit_code() -> None:
    assert set(EXIT_CODES) == set(get_args(Verdict))


def test_only_a_pass_and_chaos_by_hand_exit_with_0_and_2_is_left_for_wrong_usage() -> None:
    assert [verdict for verdict, code in EXIT_CODES.items() if code == 0] == ["played", "pass"]
    assert 2 not in EXIT_CODES.values()


@pytest.mark.parametrize("state", ["metastable", "overloaded"])
def test_a_stack_that_stays_down_decides_before_its_gates(good: RecordBuilder, state: str) -> None:
    down = Metastability("metastable" if state == "metastable" else "overloaded", "good stays at 0%")
    found = decide(read_record(good.write()), judged(good, "calls == 0"), (), metastability=down)
    assert (found.verdict, found.exit_code) == (state, 1)
    assert found.why[0] == "down after the trigger was gone: good stays at 0%"
    assert found.why[1].startswith("calls == 0:")


def test_a_stack_that_stays_down_on_an_overloaded_machine_is_inconclusive(good: RecordBuilder) -> None:
    down = Metastability("overloaded", "good stays at 0%")
    found = decide(read_record(good.write()), judged(good, "calls >= 1"), (), (), down, ["the machine was busy"])
    assert (found.verdict, found.exit_code) == ("inconclusive", 3)
    assert found.why[0] == "down after the trigger was gone: good stays at 0%; but the machine was busy"


def test_a_healthy_stack_passes_with_its_gates(good: RecordBuilder) -> None:
    found = decide(read_record(good.write()), judged(good, "calls >= 1"), (), metastability=Metastability("well", ""))
    assert (found.verdict, found.exit_code, found.why) == ("pass", 0, ("all 1 gates passed",))


def test_a_run_without_gates_is_inconclusive(good: RecordBuilder) -> None:
    found = decide(read_record(good.write()), (), ())
    assert (found.verdict, found.why) == ("inconclusive", ("the experiment has no gate",))


def test_a_failure_of_the_target_decides_before_everything_but_an_interruption(record: RecordBuilder) -> None:
    failures = ["the target died during the run"]
    found = decide(read_record(record.write()), judged(record, "calls >= 1"), (), failures=failures)
    assert (found.verdict, found.exit_code) == ("failed", 5)
    record.event("run", 50.0, event="interrupted", why="interrupted by SIGINT")
    found = decide(read_record(record.write()), (), (), failures=failures)
    assert (found.verdict, found.exit_code) == ("interrupted", 130)


@pytest.mark.parametrize(("doubts", "verdict"), [((), "fail"), (("40% of the tokens were late",), "inconclusive")])
def test_a_run_that_was_not_steady_on_a_late_machine_is_inconclusive(
    good: RecordBuilder, doubts: tuple[str, ...], verdict: str
) -> None:
    good.event("run", 20.0, event="not_steady", why="not steady before the fault: ttft.p95 <= 1 s: 3 s")
    gates = judged(good, "calls in baseline >= 1")
    found = decide(read_record(good.write()), gates, (), doubts=doubts)
    assert found.verdict == verdict
    assert all(doubt in found.why[0] for doubt in doubts)


def test_a_steady_state_that_failed_in_the_whole_record_fails_on_a_late_machine(good: RecordBuilder) -> None:
    good.event("run", 20.0, event="not_steady", why="not steady before the fault: calls >= 999: 90")
    steady = judged(good, "calls in baseline >= 999")
    assert decide(read_record(good.write()), steady, steady, doubts=["late"]).verdict == "fail"


@pytest.mark.parametrize(("severe", "verdict"), [((), "aborted"), (("40% late",), "inconclusive")])
def test_a_guardrail_that_a_very_late_machine_tripped_decides_nothing(
    good: RecordBuilder, severe: tuple[str, ...], verdict: str
) -> None:
    good.event("run", 20.0, event="aborted", why="session_success < 50% for 5s")
    found = decide(read_record(good.write()), judged(good, "calls in warmup >= 1"), (), severe=severe)
    assert found.verdict == verdict


def test_a_run_that_was_aborted_by_hand_was_stopped_by_no_guardrail(good: RecordBuilder) -> None:
    good.event("run", 40.0, event="aborted", why="aborted by hand")
    found = decide(read_record(good.write()), judged(good, "calls >= 1"), ())
    assert (found.verdict, found.exit_code, found.why[0]) == ("aborted", 4, "aborted by hand")


def test_chaos_by_hand_is_played_also_without_load_and_gates(record: RecordBuilder) -> None:
    record.experiment["by_hand"] = True
    found = decide(read_record(record.write()), (), (), no_load="no call was made")
    assert (found.verdict, found.exit_code) == ("played", 0)
    assert found.why == ("chaos by hand has no gates: nothing was judged",)


def test_chaos_by_hand_that_left_a_fault_has_failed(record: RecordBuilder) -> None:
    record.experiment["by_hand"] = True
    found = decide(read_record(record.write()), (), (), not_reverted=["kill on tpu-0 is not reverted"])
    assert (found.verdict, found.exit_code) == ("failed", 5)


def test_calls_answered_by_others_are_inconclusive_whatever_the_gates_say(good: RecordBuilder) -> None:
    elsewhere = ["31 of 400 calls that ended ok came to no replica of this run"]
    found = decide(read_record(good.write()), judged(good, "calls >= 1"), (), elsewhere=elsewhere)
    assert (found.verdict, found.exit_code, list(found.why)) == ("inconclusive", 3, elsewhere)


def test_a_guardrail_that_others_may_have_tripped_is_inconclusive(record: RecordBuilder) -> None:
    record.event("run", 50.0, event="aborted", why="too many failures")
    found = decide(read_record(record.write()), (), (), elsewhere=["31 calls came to no replica"])
    assert found.verdict == "inconclusive"
    assert found.why[1] == "stopped by a guardrail: too many failures; but 31 calls came to no replica"
