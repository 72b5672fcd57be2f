"""JUnit XML has the elements, attributes and sums that readers of it expect."""

from __future__ import annotations

from xml.etree import ElementTree

from reports.writers.junit_xml import Case, Problem, Suite, junit_xml

AT = "2027-01-15T08:59:57.250+01:00"


def parsed(*suites: Suite) -> ElementTree.Element:
    return ElementTree.fromstring(junit_xml(suites))


def test_counts_and_times_are_sums() -> None:
    problem = Problem("failure", "Violated", "short", "long")
    cases = [Case("a", "run", 61.2504), Case("a", "gate", problem=problem), Case("a", "other", 0.0006)]
    root = parsed(Suite("a", AT, cases), Suite("b", AT, [Case("b", "x", 1.5, Problem("error", "Failed", "m", "t"))]))
    first, second = root
    assert {key: first.get(key) for key in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
        "time": "61.251",
    }
    assert (second.get("errors"), second.get("time")) == ("1", "1.500")
    assert root.attrib == {"tests": "4", "failures": "1", "errors": "1", "time": "62.751"}


def test_the_timestamp_is_utc_without_an_offset() -> None:
    assert parsed(Suite("a", AT, []))[0].get("timestamp") == "2027-01-15T07:59:57"
    assert parsed(Suite("a", "yesterday", []))[0].get("timestamp") == "yesterday"


def test_cases_of_the_same_name_are_numbered() -> None:
    suite = parsed(Suite("a", AT, [Case("a", "x"), Case("a", "x"), Case("a.b", "x"), Case("a", "x")]))[0]
    assert [case.get("name") for case in suite.iter("testcase")] == ["x", "x (2)", "x", "x (3)"]


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    bad = "a\x00\x1b\ud800\uffff]]>&<"
    problem = Problem("error", "Failed", bad, bad)
    suite = parsed(Suite(bad, bad, [Case(bad, bad, problem=problem), Case("b", bad, output=bad)], {"p": bad}))[0]
    clean = "a\ufffd\ufffd\ufffd\ufffd]]>&<"
    assert suite.get("name") == suite[1].get("name") == suite[1][0].text == suite[2][0].text == clean


def test_a_time_that_is_no_number_counts_as_none() -> None:
    suite = parsed(Suite("a", AT, [Case("a", str(time), time) for time in (float("nan"), float("inf"), -1.0)]))[0]
    assert suite.get("time") == "0.000"
    assert {case.get("time") for case in suite.iter("testcase")} == {"0.000"}


def test_properties_without_a_value_are_left_out() -> None:
    suite = parsed(Suite("a", AT, [], {"stack": "naive", "machine": ""}))[0]
    assert [(one.get("name"), one.get("value")) for one in suite.iter("property")] == [("stack", "naive")]
