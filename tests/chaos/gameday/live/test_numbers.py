"""The numbers of the wall: rates, charts, what is silent, and that nothing else of a post is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.gameday.live.numbers import (
    CHART_POINTS,
    NOTHING_CHANGED,
    SILENT_AFTER_S,
    STEP_S,
    LiveNumbers,
    PoolStates,
)
from chaos.runner.counters import Counters
from targets.stack import load_stack

STACK = load_stack("multi-cloud")


def numbers() -> LiveNumbers:
    return LiveNumbers(STACK, 100.0, 2.0)


def load(sent: int, good: int, failed: int = 0, *, incarnation: int = 1, **more: Any) -> Counters:
    return Counters(
        process="locust",
        incarnation=incarnation,
        kind="load",
        at=1,
        data={
            "load_started": 1,
            "sessions": {"running": 4, "succeeded": 9, "lost": 1, "unfinished": 0},
            "calls": {"sent": sent, "ok": good, "failed": failed},
            "good_calls": good,
            "output_tokens": 5,
            "ttft_ms_recent": 210.04,
            **more,
        },
    )


def replica(name: str, running: int = 2, waiting: int = 3, **more: Any) -> Counters:
    data = {"running": running, "waiting": waiting, **more}
    return Counters(process=name, incarnation=1, kind="replica", at=1, data=data)


def gateway(**replicas: dict[str, Any]) -> Counters:
    data = {"replicas": replicas, "queued": 7, "panic": False}
    return Counters(process="gateway", incarnation=1, kind="gateway", at=1, data=data)


def section(
    seen: LiveNumbers, now_s: float, pools: PoolStates = NOTHING_CHANGED, *, running: bool = True
) -> dict[str, Any]:
    of_load = {"running": running, "profile": "p", "level": 1.0}
    return seen.section(now_s, load=of_load, gateway="gateway", pools=pools)


def test_rates_are_those_of_the_last_seconds() -> None:
    seen = numbers()
    for step in range(41):  # ten calls a second, then twenty
        at_s = 100 + step * 0.25
        seen.observe(load(sent=round(10 * min(at_s - 100, 5) + 20 * max(at_s - 105, 0)), good=step), at_s)
    found = section(seen, 110.0)
    assert found["offered_per_s"] == pytest.approx(20, abs=0.4)
    assert found["good_per_s"] == pytest.approx(4)
    assert (found["failed_per_s"], found["ttft_ms"], found["age_s"]) == (0, 210.0, 0.0)
    assert found["sessions"] == {"running": 4, "succeeded": 9, "lost": 1}


def test_a_new_load_process_starts_the_rates_again() -> None:
    seen = numbers()
    seen.observe(load(1000, 1000), 100.0)
    seen.observe(load(10, 10, incarnation=2), 101.0)
    seen.observe(load(15, 15, incarnation=2), 102.0)
    assert section(seen, 102.0)["offered_per_s"] == pytest.approx(5)


def test_a_new_load_that_has_not_begun_has_no_numbers() -> None:
    seen = numbers()
    seen.observe(load(10, 10), 101.0)
    seen.observe(Counters(process="locust", incarnation=2, kind="load", at=1), 101.5)
    seen.tick(102.0)
    found = section(seen, 102.0)
    assert (found["offered_per_s"], found["charts"]["running"]) == (None, [None])
    assert found["sessions"] == {"running": 0, "succeeded": 0, "lost": 0}


def test_a_load_that_posts_no_more_has_no_rate_and_shows_its_age() -> None:
    seen = numbers()
    seen.observe(load(0, 0), 100.0)
    seen.observe(load(10, 10), 101.0)
    found = section(seen, 101.0 + SILENT_AFTER_S + 1)
    assert (found["offered_per_s"], found["good_per_s"], found["age_s"]) == (None, None, SILENT_AFTER_S + 1)


def test_without_a_load_there_are_no_rates() -> None:
    seen = numbers()
    seen.observe(load(0, 0), 100.0)
    seen.observe(load(10, 10), 101.0)
    found = section(seen, 101.0, running=False)
    assert (found["offered_per_s"], found["age_s"], found["sessions"]["running"]) == (None, None, 0)


def test_a_replica_is_up_silent_starting_or_off_as_seen_from_outside() -> None:
    seen = numbers()
    seen.observe(replica("tpu-0"), 100.0)
    seen.observe(replica("tpu-1"), 104.0)
    found = section(seen, 104.0)
    states = {one["name"]: one["state"] for pool in found["pools"] for one in pool["replicas"]}
    assert (states["tpu-0"], states["tpu-1"], states["nvidia-0"]) == ("silent", "up", "silent")
    queue = {one["name"]: (one["running"], one["waiting"]) for pool in found["pools"] for one in pool["replicas"]}
    assert (queue["tpu-0"], queue["tpu-1"]) == ((None, None), (2, 3))


def test_a_reserve_pool_is_off_then_starting_then_up() -> None:
    seen = LiveNumbers(load_stack("game-day"), 100.0)

    def spare(pools: PoolStates = NOTHING_CHANGED) -> tuple[str, bool]:
        pool = next(one for one in section(seen, 100.0, pools)["pools"] if one["name"] == "spare")
        return pool["state"], pool["reserve"]

    name = frozenset({"spare"})
    assert spare() == ("off", True)
    assert spare(PoolStates(starting=name)) == ("starting", False)
    seen.observe(replica("spare-0"), 100.0)
    seen.observe(replica("spare-1"), 100.0)
    assert spare(PoolStates(added=name)) == ("up", False)
    assert spare(PoolStates(added=name, drained=name)) == ("drained", False)


def test_what_the_gateway_thinks_of_a_replica_is_shown() -> None:
    seen = numbers()
    view = {"breaker": "open", "ejected": True, "in_flight": 2, "load_ms": 3.0, "pool": "tpu"}
    seen.observe(gateway(**{"tpu-0": view}), 100.0)
    found = section(seen, 100.0, PoolStates(drained=frozenset({"nvidia"})))
    by_name = {one["name"]: one["gateway"] for pool in found["pools"] for one in pool["replicas"]}
    assert by_name["tpu-0"] == {"breaker": "open", "ejected": True, "in_flight": 2, "drained": False}
    assert by_name["tpu-1"] is None
    assert found["gateway"] == {"name": "gateway", "state": "up", "queued": 7, "panic": False}
    assert {pool["name"]: pool["state"] for pool in found["pools"]}["nvidia"] == "drained"


def test_a_gateway_that_stops_posting_is_silent_and_a_real_one_never_posts() -> None:
    seen = numbers()
    assert section(seen, 100.0)["gateway"]["state"] == "up"
    seen.observe(gateway(), 100.0)
    assert section(seen, 104.0)["gateway"]["state"] == "silent"


def test_nothing_of_a_post_is_shown_that_could_tell_a_fault() -> None:
    seen = numbers()
    seen.observe(load(1, 1, demand={"h1": 3}, demand_over={"h2": 1}), 100.0)
    seen.observe(replica("tpu-0", hits={"h1": 5}, behaviours=["slow_decode"]), 100.0)
    view = {"breaker": "closed", "ejected": False, "in_flight": 1, "secret": "h1"}
    hit = gateway(**{"tpu-0": view})
    hit.data["hits"] = {"h1": 2}
    seen.observe(hit, 100.0)
    seen.tick(102.0)
    text = json.dumps(section(seen, 102.0))
    assert not [word for word in ("h1", "h2", "slow_decode", "demand", "hits", "secret") if word in text]


def test_charts_have_a_point_every_step_and_gaps_where_nothing_was_posted() -> None:
    seen = numbers()
    for step in range(1, 7):
        if step not in (4, 5):
            seen.observe(load(sent=20 * step, good=10 * step), 100 + step * STEP_S)
            seen.observe(replica("tpu-0", waiting=step), 100 + step * STEP_S)
        seen.tick(100 + step * STEP_S + 0.1)
    charts = section(seen, 112.1)["charts"]
    assert charts["queue"] == [1.0, 2.0, 3.0, 3.0, None, 6.0]  # the last known for 3 s, then none
    assert charts["offered"] == [None, 10.0, 10.0, None, None, None]
    assert (charts["step_s"], charts["end_s"]) == (STEP_S, 12.0)


def test_charts_hold_five_minutes_and_a_sleep_is_a_gap() -> None:
    seen = numbers()
    seen.observe(load(1, 1), 100.0)
    seen.tick(102.0)
    seen.observe(load(2, 2), 100.0 + 10_000)
    seen.tick(100.0 + 10_000)
    charts = section(seen, 10_100.0)["charts"]
    assert len(charts["running"]) == CHART_POINTS
    assert charts["running"][-1] == 4.0
    assert set(charts["running"][:-1]) == {None}
