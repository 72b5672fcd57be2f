"""Before a fault is injected, the counters say whether a gateway that is not ours carries the load."""

from __future__ import annotations

from chaos.runner.carry_watch import CarryWatch


def watched(sent_per_s: float, served_per_s: float, at_replicas: int = 0, until_s: float = 20.0) -> str:
    """What is said of a baseline from second 5 to 20 at these rates."""
    now = 0.0
    watch = CarryWatch(2.0, clock=lambda: now)
    while now <= until_s:
        watch.load({"calls": {"sent": int(now * sent_per_s)}, "served_calls": int(now * served_per_s)})
        now += 0.25
    watch.replica("tpu-0", {"running": at_replicas, "waiting": 0})
    return watch.not_carried(5.0, 20.0)


def test_a_gateway_that_serves_next_to_nothing_does_not_carry_the_load() -> None:
    assert watched(10.0, 0.4) == ("the gateway does not carry the load: it served about 6 of 90 calls in the baseline")


def test_a_stack_that_serves_its_calls_carries_the_load() -> None:
    assert watched(10.0, 9.8) == ""


def test_long_calls_that_are_at_the_replicas_count_as_served() -> None:
    assert watched(5.0, 0.2, at_replicas=40) == ""


def test_calls_that_are_too_young_are_not_judged() -> None:
    assert watched(10.0, 0.0, until_s=4.0) == ""
    assert watched(0.5, 0.0) == ""


def test_without_counters_nothing_is_said() -> None:
    assert CarryWatch(2.0).not_carried(5.0, 20.0) == ""
