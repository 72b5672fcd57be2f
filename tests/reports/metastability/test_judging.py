"""Down or well after the trigger is gone, and the word for it. Exact values."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.analysis import analyse
from reports.metastability.grace import grace_of, longest_client_timeout_s
from reports.metastability.judging import Metastability, metastability_of
from reports.record.reader import read_record
from reports.report.build import plain
from reports.writers.html.view import page_view
from reports.writers.junit import write_junit
from reports.writers.markdown.summary import summary_text
from tests.support.record_builder import PHASES, ZERO_NS, RecordBuilder, Up, evidence_of, judged, measured, value

SHED = {**PHASES, "shedding": 51.0, "readmission": 60.0, "drain": 70.0, "end": 74.0}
SHED = dict(sorted(SHED.items(), key=lambda phase: phase[1]))
LATE = 3.0  # seconds to the first token: past the objective of 2 s


def storm(record: RecordBuilder, *, down: tuple[float, float] = (20.0, 51.0), attempts: int = 3) -> None:
    """A session of one call each half second; from the fault on they are late and take more attempts."""
    record.experiment["profile"]["client"] = {"timeout_s": 5.0}
    record.fault(hits=9)
    until = max(event["at"] - ZERO_NS for event in record.events if event.get("phase") == "drain") / 1e9
    at, index = 0.25, 0
    while at < until:
        ill = down[0] <= at < down[1]
        ttft = LATE if ill else 0.5
        ups = [Up("gpu-0", at, at + 0.3, "reset", computed=0, decoded=5) for _ in range(attempts - 1)] if ill else []
        ups.append(Up("gpu-1", at + 0.01, at + ttft + 0.3, passed_on=11))
        record.call(f"s{index}", 0, at, ttft=ttft, ups=ups)
        record.session(f"s{index}", at, at + ttft + 0.2)
        at, index = at + 0.5, index + 1


def found(record: RecordBuilder) -> Metastability:
    return metastability_of(evidence_of(record))


def twin(record: RecordBuilder, good: float, **more: object) -> None:
    """A report of a twin that offered ten calls a second, of which a share was good."""
    folder = record.path.parent / "twin"
    folder.mkdir(parents=True)
    report = {
        "run": {"name": "lose-tpu-pool-twin", "seed": 7},
        "faults": [],
        "timeline": {"offered": [10] * 60, "good": [10 * good] * 60},
        **more,
    }
    (folder / "report.json").write_text(json.dumps(report))
    record.path.mkdir(parents=True, exist_ok=True)
    (record.path / "twin.json").write_text(json.dumps({"path": "../twin", "seed": 7}))


def test_the_grace_period_is_the_timeout_and_the_backlog_at_spare_capacity() -> None:
    assert grace_of(5.0, 30, 6, 14.0, 8.0).total_s == 9.0
    assert grace_of(5.0, 6, 6, 8.0, 8.0).total_s == 5.0


def test_the_backlog_counts_for_at_most_a_client_timeout() -> None:
    assert grace_of(5.0, 36, 6, 9.0, 8.0).total_s == 10.0
    assert grace_of(5.0, 7, 6, 8.0, 8.0).total_s == 10.0


def test_the_longest_client_timeout_is_the_profiles_or_that_of_a_fault_of_the_load(record: RecordBuilder) -> None:
    record.experiment["profile"]["client"] = {"timeout_s": 5.0}
    assert longest_client_timeout_s(read_record(record.write())) == 5.0
    record.fault("f1", "retry_storm", ("load",))
    for event in record.events:
        if event["type"] == "fault":
            event["params"] = {"timeout": 8.0}
    assert longest_client_timeout_s(read_record(record.write())) == 8.0


def test_the_grace_period_of_a_run_is_taken_from_its_calls(record: RecordBuilder) -> None:
    storm(record)
    grace = found(record).grace
    assert grace is not None
    # 2 calls a second of 3.2 s are open when the fault is verified at 31 s, of 0.7 s in the baseline
    assert grace.backlog_calls == pytest.approx(6 - 2 * 0.7)
    assert grace.spare_calls_per_s == pytest.approx(0.2)  # eleven in the 5 s as the late ones come to their end
    assert grace.total_s == 10.0  # 4.6 calls at 0.2 a second would take longer than the client waits


def test_a_run_that_comes_back_is_well(record: RecordBuilder) -> None:
    storm(record, down=(20.0, 32.0))
    assert found(record).state == "well"
    assert value(record, "overloaded") == 0
    assert value(record, "metastable") == 0


def test_a_run_that_comes_back_is_well_however_long_its_clients_wait(record: RecordBuilder) -> None:
    storm(record, down=(20.0, 32.0))
    record.experiment["profile"]["client"]["timeout_s"] = 600.0
    state = found(record)
    assert state.state == "well"
    assert "after the trigger was gone" in state.why


def test_a_recovery_shorter_than_the_grace_period_cannot_tell(record: RecordBuilder) -> None:
    storm(record)
    record.experiment["profile"]["client"]["timeout_s"] = 600.0
    state = found(record)
    assert state.state is None
    assert "the recovery ends less than 5 s after the grace period" in state.why
    assert measured(record, "overloaded").value is None


def patient(record: RecordBuilder, **how: object) -> RecordBuilder:
    """A storm with capacity to spare: a burst of good calls in the warm-up shows it."""
    for index in range(30):
        record.call(f"burst{index}", 0, 2.0 + index * 0.01)
    storm(record, **how)  # type: ignore[arg-type]
    return record


def test_down_with_more_attempts_than_before_is_unconfirmed_without_twin_or_shedding(record: RecordBuilder) -> None:
    state = found(patient(record))
    assert state.state == "overloaded"
    assert state.unconfirmed
    assert "metastable unless the twin is down too" in state.why
    # 41 calls ended in the best 5 s, 8.2 a second, of which 2 are offered
    assert state.judged_from_s == pytest.approx(31 + 5 + (6 - 1.4) / 6.2)
    assert (state.baseline_share, state.share) == (1.0, 0.0)
    assert {one.what: one.worse for one in state.persisting} == {
        "client attempts a call": False,
        "upstream attempts a call": True,
        "wasted share of decoded tokens": True,
        "share of prompts not in the cache": False,
    }
    assert value(record, "overloaded") == 1
    assert measured(record, "metastable").value is None
    (gate,) = judged(record, "overloaded == 0")
    assert gate.verdict == "fail"


def test_with_a_twin_that_is_well_it_is_metastable(record: RecordBuilder) -> None:
    twin(record, good=1.0)
    state = found(patient(record))
    assert (state.state, state.confirmed_by) == ("metastable", ("twin",))
    assert value(record, "metastable") == 1


def test_with_a_twin_that_is_down_too_it_is_overloaded(record: RecordBuilder) -> None:
    twin(record, good=0.5)
    state = found(patient(record))
    assert (state.state, state.unconfirmed) == ("overloaded", False)
    assert value(record, "metastable") == 0


def test_a_twin_of_another_seed_says_nothing(record: RecordBuilder) -> None:
    twin(record, good=1.0, run={"seed": 8})
    state = found(patient(record))
    assert state.state == "overloaded"
    assert "its seed is 8" in state.why


def test_shedding_that_brings_it_back_confirms_it(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases(SHED)
    state = found(patient(record, down=(20.0, 60.0)))
    assert (state.state, state.confirmed_by) == ("metastable", ("shedding",))
    assert state.shedding is not None
    assert (state.shedding.begin_s, state.shedding.readmitted_s, state.shedding.share) == (51.0, 60.0, 1.0)


def test_shedding_that_does_not_bring_it_back_confirms_nothing(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases(SHED)
    state = found(patient(record, down=(20.0, 70.0)))
    assert (state.state, state.unconfirmed) == ("overloaded", True)
    assert "did not bring it back" in state.why
    assert measured(record, "metastable").value is None


def test_down_with_nothing_that_persists_is_overloaded(record: RecordBuilder) -> None:
    twin(record, good=1.0)
    state = found(patient(record, attempts=1))
    assert (state.state, state.unconfirmed) == ("overloaded", False)
    assert "neither retries nor wasted work nor a cold cache" in state.why


def test_more_sessions_than_in_the_baseline_cannot_tell(record: RecordBuilder) -> None:
    patient(record)
    for index in range(100):
        at = 40.0 + index * 0.1
        record.call(f"more{index}", 0, at, ttft=LATE)
        record.session(f"more{index}", at, at + LATE)
    state = found(record)
    assert state.state is None
    assert "sessions a second are offered" in state.why


def test_the_verdict_of_the_run_says_the_word_and_its_code_is_1(record: RecordBuilder) -> None:
    twin(record, good=1.0)
    patient(record).load_gauges()
    report = analyse(record.write(), write=False)
    assert (report.verdict.verdict, report.exit_code) == ("metastable", 1)
    assert report.verdict.why[0].startswith("down after the trigger was gone: good / offered stays at 0%")


def test_every_form_says_the_word(record: RecordBuilder, tmp_path: Path) -> None:
    twin(record, good=1.0)
    patient(record).load_gauges()
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
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    (case,) = [case for case in suite.iter("testcase") if case.get("name") == "stack recovered"]
    assert case[0].get("type") == "Metastable"
    assert "down although the fault is gone" in page_view(plain(report.data))["head"]["word"]


def test_down_on_a_machine_that_was_too_slow_is_inconclusive(record: RecordBuilder) -> None:
    twin(record, good=1.0)
    patient(record).load_gauges(cpu=0.99)
    report = analyse(record.write(), write=False)
    assert report.verdict.verdict == "inconclusive"
    assert "of a core over 5 s" in report.verdict.why[0]
