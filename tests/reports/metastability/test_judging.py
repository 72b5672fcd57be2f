"""Down or healthy after the trigger is gone, and the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest

from reports.analysis import analyse
from reports.metastability.judging import Metastability, State, metastability_of
from reports.report.build import plain
from reports.writers.html.view import page_view
from reports.writers.junit import write_junit
from reports.writers.markdown.summary import summary_text
from tests.support.measure_records import LATE_TTFT_S
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of, judged, measured, value
from tests.support.storm_records import PHASES_WITH_SHEDDING, add_storm, add_storm_with_spare_capacity, write_twin


def found(record: RecordBuilder) -> Metastability:
    return metastability_of(evidence_of(record))


def test_the_grace_period_of_a_run_is_computed_from_its_calls(record: RecordBuilder) -> None:
    add_storm(record)
    grace = found(record).grace
    assert grace is not None
    # 2 calls per second are open for 3.2 s each when the fault is verified at 31 s, for 0.7 s in the baseline
    assert grace.backlog_calls == pytest.approx(6 - 2 * 0.7)
    assert grace.spare_calls_per_s == pytest.approx(0.2)  # 11 calls end in the best 5 s
    assert grace.total_s == 10.0  # 4.6 calls at 0.2 per second take longer than the client timeout


def test_a_run_that_recovers_is_healthy(record: RecordBuilder) -> None:
    add_storm(record, down=(20.0, 32.0))
    assert found(record).state == "well"
    assert value(record, "overloaded") == 0
    assert value(record, "metastable") == 0


def test_a_run_that_recovers_is_healthy_with_any_client_timeout(record: RecordBuilder) -> None:
    add_storm(record, down=(20.0, 32.0))
    record.experiment["profile"]["client"]["timeout_s"] = 600.0
    state = found(record)
    assert state.state == "well"
    assert "after the trigger was gone" in state.why


def test_a_recovery_shorter_than_the_grace_period_leaves_the_state_unknown(record: RecordBuilder) -> None:
    add_storm(record)
    record.experiment["profile"]["client"]["timeout_s"] = 600.0
    state = found(record)
    assert state.state is None
    assert "the recovery ends less than 5 s after the grace period" in state.why
    assert measured(record, "overloaded").value is None


def test_down_with_more_attempts_is_unconfirmed_without_twin_and_shedding(record: RecordBuilder) -> None:
    state = found(add_storm_with_spare_capacity(record))
    assert state.state == "overloaded"
    assert state.unconfirmed
    assert "metastable unless a twin is down too" in state.why
    # 41 calls ended in the best 5 s, 8.2 per second; 2 per second are offered
    assert state.judged_from_s == pytest.approx(31 + 5 + (6 - 1.4) / 6.2)
    assert (state.baseline_share, state.share) == (1.0, 0.0)
    assert {one.what: one.worse for one in state.persisting} == {
        "client attempts per call": False,
        "upstream attempts per call": True,
        "wasted share of decoded tokens": True,
        "share of prompts not cached": False,
    }
    assert value(record, "overloaded") == 1
    assert measured(record, "metastable").value is None
    (gate,) = judged(record, "overloaded == 0")
    assert gate.verdict == "fail"


def test_down_with_a_healthy_twin_is_metastable(record: RecordBuilder) -> None:
    write_twin(record, good=1.0)
    state = found(add_storm_with_spare_capacity(record))
    assert (state.state, state.confirmed_by) == ("metastable", ("twin",))
    assert value(record, "metastable") == 1


def test_down_with_a_twin_that_is_down_too_is_overloaded(record: RecordBuilder) -> None:
    write_twin(record, good=0.5)
    state = found(add_storm_with_spare_capacity(record))
    assert (state.state, state.unconfirmed) == ("overloaded", False)
    assert value(record, "metastable") == 0


def test_shedding_that_restores_service_confirms_metastable(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases(PHASES_WITH_SHEDDING)
    state = found(add_storm_with_spare_capacity(record, down=(20.0, 60.0)))
    assert (state.state, state.confirmed_by) == ("metastable", ("shedding",))
    assert state.shedding is not None
    assert (state.shedding.begin_s, state.shedding.readmitted_s, state.shedding.share) == (51.0, 60.0, 1.0)


def test_shedding_that_does_not_restore_service_confirms_nothing(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases(PHASES_WITH_SHEDDING)
    state = found(add_storm_with_spare_capacity(record, down=(20.0, 70.0)))
    assert (state.state, state.unconfirmed) == ("overloaded", True)
    assert "did not restore service" in state.why
    assert measured(record, "metastable").value is None


def test_down_while_nothing_persists_is_overloaded(record: RecordBuilder) -> None:
    write_twin(record, good=1.0)
    state = found(add_storm_with_spare_capacity(record, attempts=1))
    assert (state.state, state.unconfirmed) == ("overloaded", False)
    assert "neither retries nor wasted work nor cache misses" in state.why


def test_more_sessions_than_in_the_baseline_leave_the_state_unknown(record: RecordBuilder) -> None:
    add_storm_with_spare_capacity(record)
    for index in range(100):
        at = 40.0 + index * 0.1
        record.call(f"more{index}", 0, at, ttft=LATE_TTFT_S)
        record.session(f"more{index}", at, at + LATE_TTFT_S)
    state = found(record)
    assert state.state is None
    assert "sessions per second are offered" in state.why


def test_the_verdict_of_a_metastable_run_has_exit_code_1(record: RecordBuilder) -> None:
    write_twin(record, good=1.0)
    add_storm_with_spare_capacity(record).load_gauges()
    report = analyse(record.write(), write=False)
    assert (report.verdict.verdict, report.exit_code) == ("metastable", 1)
    assert report.verdict.why[0].startswith("down after the trigger was gone: good / offered stays at 0%")


def test_each_form_of_the_report_contains_the_verdict_metastable(record: RecordBuilder, tmp_path: Path) -> None:
    write_twin(record, good=1.0)
    add_storm_with_spare_capacity(record).load_gauges()
    record.experiment["gates"] = ["calls >= 1"]
    report = analyse(record.write(), write=False)
    data = report.data["metastability"]
    assert (data["state"], data["confirmed_by"], data["twin"], data["twin_share"]) == (
        "metastable",
        ["twin"],
        "twin",
        1,
    )
    assert "# METASTABLE: " in summary_text(report)
    suite = ElementTree.parse(write_junit(report, tmp_path)).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    (case,) = [case for case in suite.iter("testcase") if case.get("name") == "stack recovered"]
    assert case[0].get("type") == "Metastable"
    assert "down although the fault is gone" in page_view(plain(report.data))["head"]["word"]


def test_down_on_an_overloaded_machine_is_inconclusive(record: RecordBuilder) -> None:
    write_twin(record, good=1.0)
    add_storm_with_spare_capacity(record).load_gauges(cpu=0.99)
    report = analyse(record.write(), write=False)
    assert report.verdict.verdict == "inconclusive"
    assert "of a core over 5 s" in report.verdict.why[0]


def test_each_state_is_given_by_judging(tmp_path: Path) -> None:
    states = set()
    for name, good, down in (("healthy", 1.0, 32.0), ("overloaded", 0.5, 51.0), ("metastable", 1.0, 51.0)):
        record = RecordBuilder(tmp_path / name / "run")
        record.phases()
        write_twin(record, good=good)
        states.add(found(add_storm_with_spare_capacity(record, down=(20.0, down))).state)
    assert states == set(get_args(State))
