"""junit.xml of a gate: a suite per experiment, true times, and an outcome that agrees with the exit code."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from brownout.result import Result
from reports.writers.gate.junit import write_gate_junit
from tests.support.gate_results import (
    HOSTILE,
    NOTHING,
    compared,
    experiment,
    failed_result,
    gate,
    hostile_result,
    inconclusive_result,
    many_results,
    measure,
    passed_result,
    regression_result,
    result,
    run,
)

RESULTS = {
    "failed": failed_result(),
    "passed": passed_result(),
    "inconclusive": inconclusive_result(),
    "regression": regression_result(),
    "hostile": hostile_result(),
    "many": many_results(40),
}
ALLOWED = {
    "testsuites": ({"tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"failure", "error", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
"""The elements that Jenkins' schema junit-10.xsd knows and we write: attributes, all of them required, and children."""


def written(made: Result, folder: Path) -> ElementTree.Element:
    return ElementTree.parse(write_gate_junit(made, folder)).getroot()


def names(root: ElementTree.Element, tag: str) -> list[str]:
    return [case.get("name", "") for case in root.iter("testcase") if case.find(tag) is not None]


def time_of(element: ElementTree.Element) -> Decimal:
    return Decimal(element.get("time", "missing"))


@pytest.mark.parametrize("made", RESULTS.values(), ids=RESULTS)
def test_the_file_has_the_structure_that_readers_accept(made: Result, tmp_path: Path) -> None:
    for element in written(made, tmp_path).iter():
        attributes, children = ALLOWED[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
        if element.tag == "testsuite":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.get("timestamp", ""))
            assert element[0].tag == "properties"
        if element.tag == "testcase":
            assert len(element) <= 1


@pytest.mark.parametrize("made", RESULTS.values(), ids=RESULTS)
def test_times_and_counts_of_a_suite_are_those_of_its_cases(made: Result, tmp_path: Path) -> None:
    root = written(made, tmp_path)
    assert len(root) == len(made.experiments)
    for suite, one in zip(root, made.experiments, strict=True):
        cases = list(suite.iter("testcase"))
        assert time_of(suite) == sum(time_of(case) for case in cases)
        assert float(time_of(suite)) == pytest.approx(sum(its.duration_s for its in one.runs), abs=1e-3 * len(one.runs))
        counts = [len(cases), len(suite.findall("*/failure")), len(suite.findall("*/error"))]
        assert [int(suite.get(key, "")) for key in ("tests", "failures", "errors")] == counts
        assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    assert time_of(root) == sum(time_of(suite) for suite in root)


def test_only_the_runs_have_a_time(tmp_path: Path) -> None:
    times = {case.get("name"): case.get("time") for case in written(failed_result(), tmp_path).iter("testcase")}
    assert {name: time for name, time in times.items() if time != "0.000"} == {
        "run 1 of 3, seed 1": "61.250",
        "run 2 of 3, seed 2": "61.250",
        "run 3 of 3, seed 3": "61.250",
    }


def test_violated_is_a_failure_and_undecided_is_an_error(tmp_path: Path) -> None:
    root = written(failed_result(), tmp_path)
    assert names(root, "failure") == ["sessions_lost == 0", "ttft.p95 in fault <= 2 s"]
    assert names(root, "error") == ["ttft.p99 in baseline <= 2 s"]
    assert {one.get("type") for one in root.iter("failure")} == {"Violated"}
    assert {one.get("type") for one in root.iter("error")} == {"Inconclusive"}
    (steady,) = [case for case in root.iter("testcase") if case.get("name") == "session_success >= 90%"]
    assert steady.get("classname") == "lose-tpu-pool.steady_state"


def test_a_failure_says_the_value_the_cause_and_how_to_play_it_again(tmp_path: Path) -> None:
    failure = next(written(failed_result(), tmp_path).iter("failure"))
    assert failure.get("message", "").startswith("31, not == 0. 31 sessions lost: each of 27 was on the pool tpu")
    text = failure.text or ""
    for part in (
        "each run: 24, 19, 31",
        "required == 0",
        "what helps: continue",
        "  brownout gate lose-tpu-pool --stack",
    ):
        assert part in text


def test_a_regression_is_a_failure_of_the_compared_measure(tmp_path: Path) -> None:
    root = written(regression_result(), tmp_path)
    assert names(root, "failure") == ["ttft.p95 in fault: no regression"]
    assert names(root, "error") == ["slo_attainment in fault: no regression"]
    failure = next(root.iter("failure"))
    assert failure.get("type") == "Regression"
    assert "change: +18%, interval +12% to +24%" in (failure.text or "")
    assert "accepted: 10% more; would have been found with 99%: 7.6% more" in (failure.text or "")
    assert "run 2 of 5 of the base, seed 2" in [case.get("name") for case in root.iter("testcase")]


@pytest.mark.parametrize("verdict", ["interrupted", "aborted", "failed"])
def test_a_run_that_did_not_end_by_itself_is_an_error(verdict: str, tmp_path: Path) -> None:
    runs = (run(1), run(2, verdict=verdict, duration_s=12.5, why=(f"{verdict}: the reason",)))
    root = written(result(experiment(verdict=verdict, runs=runs)), tmp_path)
    assert names(root, "error") == ["run 2 of 2, seed 2"]
    error = next(root.iter("error"))
    assert (error.get("type"), error.get("message")) == (verdict.capitalize(), f"{verdict}: the reason")


def test_a_stack_that_stays_down_is_a_failure_of_the_run(tmp_path: Path) -> None:
    runs = (run(1, verdict="metastable", why=("down after the trigger was gone",)),)
    root = written(result(experiment(verdict="fail", runs=runs)), tmp_path)
    assert names(root, "failure") == ["run 1 of 1, seed 1"]


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "aborted", "failed", "interrupted"])
def test_an_experiment_that_did_not_pass_never_looks_passed(verdict: str, tmp_path: Path) -> None:
    made = result(experiment(verdict=verdict, runs=(), gates=[gate()], why=("the gateway does not carry the load",)))
    root = written(made, tmp_path)
    assert names(root, "failure" if verdict == "fail" else "error") == ["verdict"]
    assert "the gateway does not carry the load" in ElementTree.tostring(root, encoding="unicode")


def test_a_gate_that_was_stopped_between_experiments_does_not_look_passed(tmp_path: Path) -> None:
    root = written(result(experiment(), verdict="interrupted", why=("interrupted by SIGTERM",)), tmp_path)
    assert [suite.get("name") for suite in root] == ["lose-tpu-pool", "brownout gate"]
    assert names(root, "error") == ["verdict"]
    assert next(root.iter("error")).get("message") == "interrupted by SIGTERM"


def test_an_experiment_that_passed_has_no_problem_whatever_its_runs_say(tmp_path: Path) -> None:
    runs = (run(1, verdict="aborted"), run(2), run(2, side="base", verdict="metastable"))
    root = written(result(experiment(verdict="pass", runs=runs)), tmp_path)
    assert names(root, "failure") + names(root, "error") == []


def test_a_comparison_that_compared_nothing_is_an_error_with_its_note(tmp_path: Path) -> None:
    note = "the baseline has 3 runs, and 5 are needed"
    root = written(result(experiment(comparison=compared(verdict="inconclusive", note=note))), tmp_path)
    assert names(root, "error") == ["compared with main"]
    assert next(root.iter("error")).get("message") == note


def test_a_measure_that_no_run_has_is_an_error_without_values(tmp_path: Path) -> None:
    why = "failover.p95: not measured in any run, so its tolerance of 2 s decides nothing"
    one = measure("failover.p95", "inconclusive", **NOTHING, why=why)
    made = experiment(verdict="inconclusive", comparison=compared(one))
    [error] = written(result(made), tmp_path).iter("error")
    assert error.get("message") == why
    assert "not measured, base (main): not measured\nchange: unknown\n" in (error.text or "")


def test_a_suite_says_what_was_played_where_and_how(tmp_path: Path) -> None:
    suite = written(failed_result(), tmp_path)[0]
    assert {one.get("name"): one.get("value") for one in suite.iter("property")} == {
        "target": "naive",
        "seeds": "1, 2, 3",
        "command": "brownout gate lose-tpu-pool",
        "machine": "2 cores, 8 GB",
        "version": "0.1.0",
    }


def test_suites_of_the_same_experiment_are_named_by_their_target(tmp_path: Path) -> None:
    root = written(result(experiment(target="naive"), experiment(target="nginx:tuned")), tmp_path)
    assert [suite.get("name") for suite in root] == ["lose-tpu-pool on naive", "lose-tpu-pool on nginx:tuned"]
    assert {case.get("classname") for case in root[0].iter("testcase")} == {"lose-tpu-pool on naive"}


def test_a_hostile_text_is_in_the_file_without_what_xml_forbids(tmp_path: Path) -> None:
    root = written(hostile_result(), tmp_path)
    message = next(root.iter("failure")).get("message", "")
    assert "</details><script>alert(1)</script>" in message
    assert not set("\x00\x1b\ud800") & set(message)
    assert "\x00" in HOSTILE
