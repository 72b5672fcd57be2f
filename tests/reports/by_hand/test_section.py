"""The report of chaos by hand: its windows, the verdict `played`, and all writers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.by_hand.section import SHOWN, window_lines, window_section
from reports.by_hand.windows import fault_windows, of_window
from reports.history.evidence import gather
from reports.record.reader import read_record
from tests.support.hand_records import hand_run, injected
from tests.support.record_builder import RecordBuilder, Up, good_run, migrated


def two_windows(path: Path) -> RecordBuilder:
    """A kill that five calls met, with a baseline, and a freeze that nothing met, without one."""
    record = hand_run(path)
    injected(record, "h1", 40.0, 51.0)
    for index in range(5):
        ups = migrated(40.01, resumed=40.84, sent=39.4, passed_on=3)
        record.call(f"m{index}", 0, 39.4, gaps={3: 0.9}, ups=ups)
        record.session(f"m{index}", 39.4, 41.0)
    record.call("back", 0, 53.0, ups=[Up("tpu-0", 53.0, 53.7, passed_on=11)])
    record.session("back", 53.0, 54.0)
    injected(record, "h2", 70.0, 75.0, ("gpu-1",), "freeze")
    return record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = two_windows(tmp_path_factory.mktemp("hand") / "run").write()
    analyse(path)
    return path


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return data


def values(window: dict[str, Any]) -> dict[str, float | None]:
    return {one["name"]: one["value"] for one in window["measures"]}


def test_each_window_has_its_own_measures(report: dict[str, Any]) -> None:
    first, second = report["windows"]
    assert [one["id"] for one in first["faults"]] == ["h1"]
    assert values(first)["failover_rate"] == 1.0
    assert values(first)["slo_attainment in baseline"] == 1.0
    assert values(second)["failover_rate"] is None
    assert len(first["measures"]) == len(SHOWN)


def test_what_needs_a_baseline_is_not_measured_without_one(report: dict[str, Any]) -> None:
    second = report["windows"][1]
    assert second["no_baseline"] == "the fault before it had ended 19 s earlier, and a baseline needs 30 s without one"
    assert values(second)["slo_attainment in baseline"] is None
    assert "   no baseline: the fault before it had ended 19 s earlier" in "\n".join(window_lines(second))


def test_a_window_is_told_in_a_line_and_its_measures(report: dict[str, Any]) -> None:
    lines = window_lines(report["windows"][0])
    assert lines[0] == "1. kill on tpu-0, tpu-1 (h1), from 40.0 s to 51.0 s"
    assert any("failover_rate" in line and "100%" in line for line in lines)


def test_each_window_has_a_report_of_its_own(folder: Path) -> None:
    for number, faults in ((1, ["h1"]), (2, ["h2"])):
        own = folder / "windows" / str(number)
        assert [one["id"] for one in json.loads((own / "report.json").read_text())["faults"]] == faults
        assert {path.name for path in own.iterdir()} == {"report.json", "report.html", "summary.md", "junit.xml"}


def test_calls_of_a_later_baseline_count_in_it(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 35.0, 40.0)
    injected(record, "h2", 90.0, 95.0)
    attained = analyse(record.write(), write=False).data["measures"]["slo_attainment"]["phases"]
    assert attained["baseline"]["samples"] == 60
    assert attained["fault"]["samples"] == 10


def test_what_compares_single_phases_is_in_the_windows_only(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 35.0, 40.0)
    injected(record, "h2", 90.0, 95.0)
    data = analyse(record.write(), write=False).data
    for name in ("time_to_recover", "goodput_lost", "cold_cache_tail.seconds", "knee", "overloaded"):
        assert data["measures"][name]["run"]["why_not"] == "see the windows: the record has several", name
    assert [values(window)["time_to_recover"] for window in data["windows"]] == [0.0, 0.0]


def test_spans_are_joined_once_for_all_windows_and_each_has_its_phases(tmp_path: Path) -> None:
    builder = two_windows(tmp_path / "run")
    builder.call("lost", 0, 71.0, outcome="truncated")
    builder.session("lost", 71.0, 72.0, "lost")
    record = read_record(builder.write())
    joined = gather(record).calls
    for window in fault_windows(record):
        alone = of_window(record, window)
        own, shared = gather(alone).calls, gather(alone, joined).calls
        assert own.calls == shared.calls
        assert own.sessions == shared.sessions
        assert {call.phase for call in shared.calls} >= {"fault"}
    assert {call.phase for call in joined.calls} == {"setup"}


def test_the_verdict_is_played_in_every_form(folder: Path, report: dict[str, Any]) -> None:
    assert (report["verdict"]["verdict"], report["verdict"]["exit_code"]) == ("played", 0)
    assert report["verdict"]["why"][0] == "chaos by hand has no gates: nothing was judged"
    assert "PLAYED BY HAND: Chaos by hand on two-pools" in (folder / "summary.md").read_text()
    assert "1. kill on tpu-0, tpu-1 (h1), from 40.0 s to 51.0 s" in (folder / "summary.md").read_text()
    junit = ET.parse(folder / "junit.xml").getroot()
    assert not [one for one in junit.iter() if one.tag in ("failure", "error")]
    page = (folder / "report.html").read_text()
    assert "Played by hand" in page
    assert "1. kill of tpu-0, tpu-1 (h1)" in page
    assert '<a href="windows/1/report.html">' in page
    assert "Chaos by hand has no gates." in page
    assert "Fault windows" not in (folder / "windows" / "1" / "report.html").read_text()


def test_the_pages_of_windows_share_the_script_that_draws(folder: Path) -> None:
    pages = list((folder / "windows").glob("*/report.html"))
    assert len(pages) == 2
    script = (folder / "windows" / "charts.js").read_text()
    assert len(script) > 1_000_000
    for page in pages:
        assert '<script src="../charts.js"></script>' in page.read_text()
        assert page.stat().st_size < 300_000
    assert script in (folder / "report.html").read_text(), "the page of the whole needs no other file"


def test_a_session_without_a_fault_is_played_too(tmp_path: Path) -> None:
    found = analyse(hand_run(tmp_path / "run").write())
    assert (found.verdict.verdict, found.data["windows"]) == ("played", [])


def test_a_session_without_a_load_is_played_too(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run", load=None)
    injected(record, "h1", 40.0, 50.0)
    found = analyse(record.write())
    assert found.verdict.verdict == "played"
    assert found.data["windows"][0]["no_baseline"] == "no load ran when the fault was injected"


def test_a_gateway_that_cannot_carry_the_load_is_a_note(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run", load=None)
    record.has_gateway = False
    replicas = {"stack": "two-pools", "first_port": 18201}
    record.experiment["target"] = {"url": "http://127.0.0.1:4100", "model": "m", "replicas": replicas}
    record.event("action", 0.0, action="load_start", text="profile chat, seed 7")
    for second in range(110):
        record.call(f"s{second}", 0, second + 0.1, ups=[], ttft=None, outcome="http_5xx")
    injected(record, "h1", 40.0, 50.0)
    path = record.write()
    found = analyse(path)
    assert (found.verdict.verdict, found.exit_code) == ("played", 0)
    said = "the gateway cannot carry the load: it served 0 of 30 calls in the baseline"
    assert any(note.startswith(said) and "; what helps: " in note for note in found.data["notes"])
    assert found.data["carrying"] is None
    assert not [one for one in ET.parse(path / "junit.xml").getroot().iter() if one.tag in ("failure", "error")]


def test_a_session_whose_record_has_no_end_is_inconclusive(tmp_path: Path) -> None:
    record = two_windows(tmp_path / "run")
    record.events = [event for event in record.events if event["at"] < max(one["at"] for one in record.events)]
    found = analyse(record.write())
    assert (found.verdict.verdict, found.exit_code) == ("inconclusive", 3)
    assert len(found.data["windows"]) == 2


def test_a_damaged_action_is_left_out(tmp_path: Path) -> None:
    record = two_windows(tmp_path / "run")
    for event in ({}, {"action": 7}, {"action": "inject", "text": {"a": 1}}):
        record.event("action", 60.0, **event)
    assert len(analyse(record.write()).data["windows"]) == 2


def test_a_report_of_an_experiment_has_no_windows(tmp_path: Path) -> None:
    found = analyse(good_run(tmp_path / "run").write(), write=False)
    assert "windows" not in found.data


@pytest.mark.parametrize(("action", "doubt"), [("inject", True), ("restart", True), ("load_stop", False)])
def test_an_experiment_that_was_changed_by_hand_decides_no_gate(tmp_path: Path, action: str, doubt: bool) -> None:
    record = good_run(tmp_path / "run", sessions=30)
    record.experiment["gates"] = ["calls >= 1"]
    record.event("action", 10.0, action=action, text="h1: kill on tpu-0")
    found = analyse(record.write(), write=False)
    assert found.verdict.verdict == ("inconclusive" if doubt else "pass")
    changed = f"the run was changed by hand ({action} h1: kill on tpu-0)"
    assert (changed in found.verdict.why[0]) == doubt


def test_calls_that_the_end_of_the_load_cut_are_named(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run", load=(0.0, 45.0))
    injected(record, "h1", 40.0, 50.0)
    for index in range(2):
        record.call(f"a{index}", 0, 42.0, outcome="abandoned", ups=[Up("gpu-0", 42.0, 45.0, "abandoned")])
    (window,) = analyse(record.write(), write=False).data["windows"]
    assert window["abandoned"] == 2
    assert "   2 calls of the fault were open when the load stopped, and count as failed" in window_lines(window)


def test_a_window_has_the_time_to_alert_where_alerts_were_received(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 40.0, 51.0)
    record.event("alert_port", 0.0, event="opened", port=9099)
    record.alert(43.0)
    evidence = gather(read_record(record.write()))
    (window,) = fault_windows(evidence.record)
    section = window_section(window, gather(of_window(evidence.record, window), evidence.calls), "windows/1")
    assert values(section)["time_to_alert"] == pytest.approx(3.0)
