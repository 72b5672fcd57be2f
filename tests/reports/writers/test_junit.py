"""junit.xml: a test case per gate, and one for a run that did not complete."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from reports.analysis import analyse
from reports.writers.junit import write_junit
from tests.support.record_builder import RecordBuilder

GOLDEN = Path(__file__).parent / "golden" / "junit.xml"


def test_junit_equals_its_golden_file(run: RecordBuilder, tmp_path: Path) -> None:
    written = write_junit(analyse(run.write(), write=False), tmp_path)
    assert written.name == "junit.xml"
    assert written.read_text() == GOLDEN.read_text()


def test_junit_has_a_testcase_per_gate_with_its_verdict(run: RecordBuilder, tmp_path: Path) -> None:
    root = ElementTree.parse(write_junit(analyse(run.write(), write=False), tmp_path)).getroot()
    suite = root.find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "1",
        "errors": "2",
    }
    found = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert found == {
        "run completed": ["system-out"],
        "sessions_lost == 0": ["system-out"],
        "ttft.p95 in baseline <= 100 ms": ["failure"],
        "ttft.p99 in baseline <= 2 s": ["error"],
        "failover.max <= 5 s": ["error"],
    }
    assert {error.get("type") for error in suite.iter("error")} == {"Inconclusive"}


def test_the_times_of_the_testcases_sum_to_the_time_of_the_run(run: RecordBuilder, tmp_path: Path) -> None:
    root = ElementTree.parse(write_junit(analyse(run.write(), write=False), tmp_path)).getroot()
    times = {case.get("name"): case.get("time") for case in root.iter("testcase")}
    assert times.pop("run completed") == root[0].get("time") == root.get("time") == "55.000"
    assert set(times.values()) == {"0.000"}


def test_junit_of_a_failed_run_has_an_error_with_any_text(run: RecordBuilder, tmp_path: Path) -> None:
    run.event("run", 50.0, event="failed", why="replica said \x00\x1b[31m<oops>& ]]>")
    root = ElementTree.parse(write_junit(analyse(run.write(), write=False), tmp_path)).getroot()
    (case,) = [case for case in root.iter("testcase") if case.get("name") == "run completed"]
    assert case[0].get("type") == "Failed"
    assert "<oops>& ]]>" in str(case[0].get("message"))
