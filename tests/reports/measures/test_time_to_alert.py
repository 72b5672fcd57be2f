"""time_to_alert: injection to the first alert of the user's monitoring that is about it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged, measured, value


@pytest.fixture
def alerted(good: RecordBuilder) -> RecordBuilder:
    """A run with a fault from 20 to 30 s, whose alerts are received."""
    good.command()
    good.experiment["alerts"] = {"port": 9099, "match": {}}
    good.event("alert_port", -3.0, event="opened", port=9099)
    return good


def test_it_is_the_time_from_the_injection_to_the_first_alert_received(alerted: RecordBuilder) -> None:
    alerted.alert(27.5, since=26.0)
    alerted.alert(29.0, "Other")
    assert value(alerted, "time_to_alert") == pytest.approx(7.5)
    assert [result.verdict for result in judged(alerted, "time_to_alert <= 8 s")] == ["pass"]


def test_without_an_alert_it_is_infinite_and_a_gate_on_it_fails(alerted: RecordBuilder) -> None:
    assert value(alerted, "time_to_alert") == math.inf
    assert [result.verdict for result in judged(alerted, "time_to_alert <= 60 s")] == ["fail"]


def test_what_fired_before_the_injection_does_not_count_and_the_value_says_so(alerted: RecordBuilder) -> None:
    alerted.alert(10.0, "Before")
    alerted.alert(22.0, "Late", since=19.0)  # it began before, and was sent later
    found = measured(alerted, "time_to_alert")
    assert (found.value, found.note) == (math.inf, "2 alerts that fired before do not count")
    alerted.alert(24.0)
    found = measured(alerted, "time_to_alert")
    assert found.value == pytest.approx(4.0)
    assert found.note == "2 alerts that fired before do not count"


def test_an_alert_that_was_resolved_and_fires_again_counts(alerted: RecordBuilder) -> None:
    alerted.alert(10.0)
    alerted.alert(15.0, status="resolved")
    alerted.alert(23.0)
    found = measured(alerted, "time_to_alert")
    assert found.value == pytest.approx(3.0)
    assert found.note == ""


def test_an_alert_that_fires_again_without_a_resolution_counts(alerted: RecordBuilder) -> None:
    alerted.alert(10.0)
    alerted.alert(23.0)
    found = measured(alerted, "time_to_alert")
    assert found.value == pytest.approx(3.0)
    assert found.note == "1 alert that fired before does not count"


@pytest.mark.parametrize(("match", "expected"), [({"severity": "page"}, 2.0), ({"alertname": "B"}, 5.0)])
def test_only_alerts_with_the_labels_of_match_count(
    alerted: RecordBuilder, match: dict[str, Any], expected: float
) -> None:
    alerted.experiment["alerts"]["match"] = match
    alerted.alert(22.0, "A")
    alerted.alert(25.0, "B")
    assert value(alerted, "time_to_alert") == pytest.approx(expected)


def second(record: RecordBuilder) -> None:
    stages = {"planned": 0.0, "injected": 35.0, "confirmed": 35.1, "reverted": 40.0, "verified": 41.0}
    record.command("f2", stages=stages)


def test_of_several_faults_the_slowest_counts(alerted: RecordBuilder) -> None:
    second(alerted)
    alerted.alert(22.0)
    alerted.alert(31.0, status="resolved")
    alerted.alert(38.5)
    assert value(alerted, "time_to_alert") == pytest.approx(3.5)


def test_a_fault_whose_alert_of_an_earlier_one_still_fires_has_it_already(alerted: RecordBuilder) -> None:
    second(alerted)
    alerted.alert(22.0)
    assert value(alerted, "time_to_alert") == pytest.approx(2.0)


def test_the_alert_of_a_later_fault_is_not_one_of_an_earlier_fault(alerted: RecordBuilder) -> None:
    second(alerted)
    alerted.alert(38.5)
    assert value(alerted, "time_to_alert") == math.inf


def test_an_alert_that_came_after_the_next_injection_counts_if_it_began_before(alerted: RecordBuilder) -> None:
    second(alerted)
    alerted.alert(36.0, since=30.0)
    alerted.alert(37.0, "Other")
    assert value(alerted, "time_to_alert") == pytest.approx(16.0)


def test_faults_that_are_injected_together_share_their_alert(alerted: RecordBuilder) -> None:
    alerted.command("f2", stages={"planned": 0.0, "injected": 20.0, "confirmed": 20.1, "verified": 41.0})
    alerted.alert(24.0)
    assert value(alerted, "time_to_alert") == pytest.approx(4.0)


def test_without_a_receiver_it_is_not_measured(good: RecordBuilder) -> None:
    good.command()
    why = "no alerts were received: the experiment has no alerts:, or its port was not open"
    assert measured(good, "time_to_alert").why_not == why
    assert measured(good, "false_alerts").why_not == why


def test_without_a_fault_it_is_not_measured(good: RecordBuilder) -> None:
    good.event("alert_port", -3.0, event="opened", port=9099)
    assert measured(good, "time_to_alert").why_not == "no fault was injected"
