"""What is ordered now: on and off by the runner's word, off by itself when there is none, and what it has done."""

from __future__ import annotations

from loadprofiles.demand import ActiveDemand, Demand, Order, demand_of
from loadprofiles.sessions.session import Call
from reports.shared.tokens import Marker

SURGE = demand_of(Order("f1", "surge", {"factor": 2}))
LONG = demand_of(Order("f2", "long_reasoning", {"factor": 2, "share": 1}))
STORM = demand_of(Order("f3", "retry_storm"))
CALL = Call("main", 0, (), 20, True, Marker("s7-1", "main", 0), True)


def ids(demands: list[Demand]) -> list[str]:
    return [demand.order.id for demand in demands]


def test_what_is_said_is_on_and_what_is_no_longer_said_is_off() -> None:
    now = ActiveDemand()
    assert ids(now.apply([SURGE], 0.0)) == ["f1"]
    assert ids(now.apply([SURGE, LONG], 0.25)) == ["f2"]  # what was on before is not new
    assert ids(now.active(0.3)) == ["f1", "f2"]
    assert now.apply([LONG], 0.5) == []
    assert ids(now.active(0.5)) == ["f2"]
    assert now.apply([], 0.75) == []
    assert now.active(0.75) == []


def test_without_a_word_it_lapses_after_its_lease_and_not_before() -> None:
    now = ActiveDemand(lease_s=5.0)
    now.apply([SURGE, STORM], 10.0)
    assert ids(now.active(15.0)) == ["f1", "f3"]
    assert now.active(15.001) == []
    assert now.override({}, 15.001) is None
    assert now.snapshot(15.001) == {"demand": {}, "demand_over": {"f1": 0, "f3": 0}}
    assert now.apply([SURGE], 20.0) == []  # and stays over: its sessions would come twice
    assert now.active(20.0) == []


def test_sessions_added_and_calls_changed_are_hits_each_call_once() -> None:
    now = ActiveDemand()
    now.apply([SURGE, LONG, STORM], 0.0)
    now.session_added("f1")
    now.session_added("f1")
    affected_by: dict[str, str] = {}
    assert now.change_call(CALL, affected_by, 0.1).max_tokens == 40
    for _ in range(3):  # the attempts of one call
        override = now.override(affected_by, 0.2)
        assert override is not None
        assert override.retries == "aggressive"
    assert affected_by == {"f2": "long_reasoning", "f3": "retry_storm"}
    assert now.snapshot(0.3) == {"demand": {"f1": 2, "f2": 1, "f3": 1}, "demand_over": {}}
    now.apply([LONG], 0.5)
    assert now.snapshot(0.5) == {"demand": {"f2": 1}, "demand_over": {"f1": 2, "f3": 1}}


def test_a_call_that_is_left_alone_is_not_hit() -> None:
    now = ActiveDemand()
    now.apply([SURGE], 0.0)
    affected_by: dict[str, str] = {}
    assert now.change_call(CALL, affected_by, 0.1) is CALL
    assert now.override(affected_by, 0.1) is None
    assert affected_by == {}
