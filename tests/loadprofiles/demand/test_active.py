"""Active orders: activated and ended by the runner, expired by their lease, and their hits."""

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


def test_exactly_the_last_orders_are_active() -> None:
    orders = ActiveDemand()
    assert ids(orders.apply([SURGE], 0.0)) == ["f1"]
    assert ids(orders.apply([SURGE, LONG], 0.25)) == ["f2"]  # f1 was active before
    assert ids(orders.current(0.3)) == ["f1", "f2"]
    assert orders.apply([LONG], 0.5) == []
    assert ids(orders.current(0.5)) == ["f2"]
    assert orders.apply([], 0.75) == []
    assert orders.current(0.75) == []


def test_orders_that_are_not_renewed_expire_after_the_lease() -> None:
    orders = ActiveDemand(lease_s=5.0)
    orders.apply([SURGE, STORM], 10.0)
    assert ids(orders.current(15.0)) == ["f1", "f3"]
    assert orders.current(15.001) == []
    assert orders.override({}, 15.001) is None
    assert orders.snapshot(15.001) == {"demand": {}, "demand_over": {"f1": 0, "f3": 0}}
    assert orders.apply([SURGE], 20.0) == []  # an expired order stays expired: it would add its sessions twice
    assert orders.current(20.0) == []


def test_hits_count_added_sessions_and_each_changed_call_once() -> None:
    orders = ActiveDemand()
    orders.apply([SURGE, LONG, STORM], 0.0)
    orders.session_added("f1")
    orders.session_added("f1")
    affected_by: dict[str, str] = {}
    assert orders.change_call(CALL, affected_by, 0.1).max_tokens == 40
    for _ in range(3):  # three attempts of one call
        override = orders.override(affected_by, 0.2)
        assert override is not None
        assert override.retries == "aggressive"
    assert affected_by == {"f2": "long_reasoning", "f3": "retry_storm"}
    assert orders.snapshot(0.3) == {"demand": {"f1": 2, "f2": 1, "f3": 1}, "demand_over": {}}
    orders.apply([LONG], 0.5)
    assert orders.snapshot(0.5) == {"demand": {"f2": 1}, "demand_over": {"f1": 2, "f3": 1}}


def test_an_unchanged_call_is_not_a_hit() -> None:
    orders = ActiveDemand()
    orders.apply([SURGE], 0.0)
    affected_by: dict[str, str] = {}
    assert orders.change_call(CALL, affected_by, 0.1) is CALL
    assert orders.override(affected_by, 0.1) is None
    assert affected_by == {}
