"""false_alerts: alerts that began to fire in the baseline, which is from 5 to 20 s."""

from __future__ import annotations

import math

from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged, measured, value


def test_alerts_that_begin_in_the_baseline_are_counted_and_others_are_not(good: RecordBuilder) -> None:
    good.event("alert_port", -3.0, event="opened", port=9099)
    assert value(good, "false_alerts") == 0
    good.alert(2.0, "warmup")
    good.alert(7.0, "before", since=1.0)
    good.alert(8.0, "resolved", "resolved")
    good.alert(22.0, "fault")
    assert value(good, "false_alerts") == 0
    good.alert(9.0, "a")
    good.alert(19.0, "b")
    assert value(good, "false_alerts") == 2


def test_one_that_began_in_the_baseline_counts_also_if_it_came_in_the_fault(good: RecordBuilder) -> None:
    good.event("alert_port", -3.0, event="opened", port=9099)
    good.alert(45.0, "grouped", since=15.0)
    good.alert(46.0, "of the fault", since=20.0)
    assert value(good, "false_alerts") == 1


def test_where_the_receiver_left_alerts_out_the_count_is_a_lower_bound(good: RecordBuilder) -> None:
    good.event("alert_port", -3.0, event="opened", port=9099)
    good.event("alert_port", 55.0, event="closed", left_out=3)
    good.alert(9.0)
    found = measured(good, "false_alerts")
    assert (found.value, found.note) == (1, "at least: 3 changes of alerts were not written")
    assert found.interval is not None
    assert found.interval() == (1, math.inf)
    results = judged(good, "false_alerts == 0", "false_alerts <= 2")
    assert [result.verdict for result in results] == ["fail", "inconclusive"]


def test_only_those_that_match_count(good: RecordBuilder) -> None:
    good.event("alert_port", -3.0, event="opened", port=9099)
    good.experiment["alerts"] = {"port": 9099, "match": {"alertname": "b"}}
    good.alert(9.0, "a")
    good.alert(10.0, "b")
    assert value(good, "false_alerts") == 1


def test_a_gate_on_it_is_decided(good: RecordBuilder) -> None:
    good.event("alert_port", -3.0, event="opened", port=9099)
    good.alert(9.0)
    assert [result.verdict for result in judged(good, "false_alerts == 0")] == ["fail"]
