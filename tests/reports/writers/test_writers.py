"""junit.xml and summary.md, held against what they were agreed to be."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.analysis import analyse
from reports.report.build import plain
from reports.writers.json_report import write_json
from reports.writers.junit import write_junit
from reports.writers.markdown.summary import summary_text, write_summary
from tests.support.record_builder import RecordBuilder, good_run

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def run(tmp_path: Path) -> RecordBuilder:
    builder = good_run(tmp_path / "run", sessions=100)
    builder.experiment["gates"] = [
        "sessions_lost == 0",
        "ttft.p95 in baseline <= 100 ms",
        "ttft.p99 in baseline <= 2 s",
        "failover.max <= 5 s",
    ]
    return builder


@pytest.mark.parametrize(("name", "writer"), [("junit.xml", write_junit), ("summary.md", write_summary)])
def test_it_is_written_as_agreed(run: RecordBuilder, tmp_path: Path, name: str, writer: object) -> None:
    report = analyse(run.write(), write=False)
    written = writer(report, tmp_path)  # type: ignore[operator]
    assert written.name == name
    assert written.read_text() == (GOLDEN / name).read_text()


def test_junit_has_a_testcase_a_gate_with_its_verdict(run: RecordBuilder, tmp_path: Path) -> None:
    root = ElementTree.parse(write_junit(analyse(run.write(), write=False), tmp_path)).getroot()
    suite = root.find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "2",
    }
    found = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert found == {
        "sessions_lost == 0": ["system-out"],
        "ttft.p95 in baseline <= 100 ms": ["failure"],
        "ttft.p99 in baseline <= 2 s": ["error"],
        "failover.max <= 5 s": ["error"],
    }
    assert {error.get("type") for error in suite.iter("error")} == {"Inconclusive"}


def test_junit_of_a_run_that_broke_has_an_error_for_it_and_bears_any_text(run: RecordBuilder, tmp_path: Path) -> None:
    run.event("run", 50.0, event="failed", why="replica said \x00\x1b[31m<oops>& ]]>")
    root = ElementTree.parse(write_junit(analyse(run.write(), write=False), tmp_path)).getroot()
    (case,) = [case for case in root.iter("testcase") if case.get("name") == "the run came to its end"]
    assert case[0].get("type") == "Failed"
    assert "<oops>& ]]>" in str(case[0].get("message"))


def test_the_summary_of_a_huge_run_stays_under_githubs_limit(run: RecordBuilder, tmp_path: Path) -> None:
    run.event("run", 50.0, event="failed", why="x" * 2_000_000)
    assert write_summary(analyse(run.write(), write=False), tmp_path).stat().st_size < 1_024_000


def test_a_gate_with_a_bar_does_not_break_the_table(run: RecordBuilder) -> None:
    run.experiment["title"] = "a|b <script>"
    text = summary_text(analyse(run.write(), write=False))
    assert "a\\|b &lt;script>" in text


def test_json_says_never_and_null(run: RecordBuilder, tmp_path: Path) -> None:
    assert plain({"a": float("inf"), "b": [float("nan"), b"\x01"], 3: True}) == {
        "a": "never",
        "b": [None, "01"],
        "3": True,
    }
    text = write_json(analyse(run.write(), write=False), tmp_path).read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
