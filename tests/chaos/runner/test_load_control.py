"""Commands and orders for the load generators, and what they report: one process or several."""

from __future__ import annotations

import pytest

from chaos.faults.world import DemandState, Unreachable
from chaos.runner.counters import Counters
from chaos.runner.load_control import LoadControl
from loadprofiles.demand import Order


def post(process: str = "locust", kind: str = "load", **data: object) -> Counters:
    return Counters(process, 1, kind, 5, data={"load_started": 1, **data})


def test_only_load_generators_get_the_command_and_the_orders() -> None:
    load = LoadControl()
    assert load.on_counters(post(kind="replica")) == {"command": "run"}
    assert load.on_counters(post()) == {"command": "wait", "demand": []}
    load.command = "run"
    load.orders["f1"] = Order("f1", "surge", {"factor": 3}, 7)
    assert load.on_counters(post()) == {
        "command": "run",
        "demand": [{"id": "f1", "kind": "surge", "params": {"factor": 3}, "seed": 7}],
    }


def test_after_stop_no_other_command_is_given() -> None:
    load = LoadControl()
    for command in ("run", "stop", "run", "hold"):
        load.command = command
    assert load.command == "stop"


def test_an_order_is_active_when_every_worker_reports_it_and_hits_add_up() -> None:
    load = LoadControl()
    load.on_counters(Counters("master", 1, "load", 5, data={}))  # the master plays no sessions
    load.on_counters(post("w1", demand={"f1": 4}, demand_over={}))
    load.on_counters(post("w2", demand={}, demand_over={}))
    assert load.demand_state("f1") == DemandState(anywhere=True, everywhere=False, hits=4)
    load.on_counters(post("w2", demand={"f1": 3}, demand_over={}))
    assert load.demand_state("f1") == DemandState(anywhere=True, everywhere=True, hits=7)
    load.on_counters(post("w1", demand={}, demand_over={"f1": 5}))
    load.on_counters(post("w2", demand={}, demand_over={"f1": 3}))
    assert load.demand_state("f1") == DemandState(anywhere=False, everywhere=False, hits=8)


def test_the_state_is_unknown_after_no_post_within_the_lease() -> None:
    now = [0.0]
    load = LoadControl(lambda: now[0])
    with pytest.raises(Unreachable):
        load.demand_state("f1")
    load.on_counters(post(demand={"f1": 4}, demand_over={}))
    now[0] = 4.9
    assert load.demand_state("f1").anywhere
    now[0] = 5.1
    with pytest.raises(Unreachable):
        load.demand_state("f1")


def test_an_order_that_a_load_generator_lost_while_it_stands_has_lapsed_once() -> None:
    lapsed: list[str] = []
    load = LoadControl(on_lapse=lapsed.append)
    load.command = "run"
    load.orders["f1"] = Order("f1", "surge", {"factor": 3}, 7)
    load.on_counters(post(demand={}))  # not active yet
    load.on_counters(post(demand={"f1": 0}))
    assert lapsed == []
    load.on_counters(post(demand={}))
    load.on_counters(post(demand={}))
    assert lapsed == ["f1"]


@pytest.mark.parametrize("ends", ["cancelled", "drain", "stop"])
def test_an_order_that_ends_as_it_should_has_not_lapsed(ends: str) -> None:
    lapsed: list[str] = []
    load = LoadControl(on_lapse=lapsed.append)
    load.command = "run"
    load.orders["f1"] = Order("f1", "surge", {"factor": 3}, 7)
    load.on_counters(post(demand={"f1": 0}))
    if ends == "cancelled":
        load.orders.clear()
    else:
        load.command = ends
    load.on_counters(post(demand={}))
    assert lapsed == []


def test_a_level_is_sent_once_it_was_set() -> None:
    control = LoadControl()
    assert "level" not in control.on_counters(post())
    control.set_level(1.5)
    assert control.on_counters(post())["level"] == {"factor": 1.5, "number": 1}
    control.set_level(1.0)
    assert control.on_counters(post())["level"] == {"factor": 1.0, "number": 2}
