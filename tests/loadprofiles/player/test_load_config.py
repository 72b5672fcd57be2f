"""The sessions that a demand adds: drawn by seed and fault, spread over workers, of a tenant, of recordings."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from loadprofiles.arrivals import ArrivalsSpec, Constant
from loadprofiles.demand import Order, demand_of
from loadprofiles.player.load_config import LoadConfig
from loadprofiles.sessions.profile import Tenant
from loadprofiles.sessions.profile_file import load_profile
from tests.support.recordings import request, session, write
from tests.support.session_player import play

PROFILE = replace(load_profile("coding-agent-ci"), tenants=(Tenant("acme", 1, "batch"), Tenant("bolt", 3)))
CONFIG = LoadConfig("http://127.0.0.1:1", "m", PROFILE, "s7")
SURGE = demand_of(Order("f1", "surge", {"factor": 3}, 7))


def test_extra_sessions_start_with_the_order_at_the_extra_rate() -> None:
    plans = list(islice(CONFIG.extra_plans(SURGE, 20.0), 200))
    assert plans[0].start_at_s == pytest.approx(20 + 0.5 / 9.4, abs=0.06)
    assert sum(plan.start_at_s < 30 for plan in plans) == 94  # twice 4.7 a second
    assert len({plan.id for plan in plans}) == 200
    assert {plan.fault for plan in plans} == {"f1"}
    assert {plan.tenant for plan in plans} == {"acme", "bolt"}


def test_extra_sessions_differ_from_those_of_the_load_and_of_other_faults() -> None:
    def texts(plans: object) -> list[str]:
        return [calls.calls["main"][0].messages[1].text for calls in play(islice(plans, 5)).values()]  # type: ignore[call-overload]

    own = texts(CONFIG.plans())
    added = texts(CONFIG.extra_plans(SURGE, 20.0))
    other = texts(CONFIG.extra_plans(demand_of(Order("f2", "surge", {"factor": 3}, 7)), 20.0))
    assert len({*own, *added, *other}) == 15
    assert added == texts(CONFIG.extra_plans(SURGE, 20.0))


def test_the_ids_of_extra_sessions_do_not_name_the_fault() -> None:
    for name in ("f1", "surge", "7", "the heavy tenant"):
        plans = CONFIG.extra_plans(demand_of(Order(name, "surge", {"factor": 3}, 7)), 20.0)
        for index, plan in enumerate(islice(plans, 3)):
            assert re.fullmatch(rf"s7-\d{{9}}-{index}", plan.id)


def test_extra_sessions_of_two_faults_have_ids_of_their_own() -> None:
    orders = [Order(f"h{number}", "surge", {"factor": 3}, 7) for number in range(40)]
    assert len({next(CONFIG.extra_plans(demand_of(order), 20.0)).id for order in orders}) == 40


def test_workers_share_the_extra_sessions() -> None:
    whole = [(plan.id, plan.start_at_s) for plan in islice(CONFIG.extra_plans(SURGE, 20.0), 60)]
    parts = [list(islice(CONFIG.extra_plans(SURGE, 20.0, k, 3), 20)) for k in range(3)]
    assert sorted((plan.id, plan.start_at_s) for part in parts for plan in part) == sorted(whole)


def test_all_extra_sessions_of_a_tenants_surge_have_its_name_and_tier() -> None:
    surge = demand_of(Order("f1", "surge", {"factor": 3, "tenant": "acme"}, 7))
    plans = list(islice(CONFIG.extra_plans(surge, 20.0), 30))
    assert {(plan.tenant, plan.tier) for plan in plans} == {("acme", "batch")}


def test_a_demand_without_extra_sessions_plans_none() -> None:
    assert list(CONFIG.extra_plans(demand_of(Order("f1", "retry_storm", {}, 7)), 20.0)) == []


def test_extra_sessions_of_a_replay_are_recordings_with_their_own_ids(tmp_path: Path) -> None:
    write(tmp_path, session([request(range(8)), request(range(12), t=2.0)]))
    config = config_with_trace(tmp_path)
    plans = list(islice(config.extra_plans(SURGE, 20.0), 8))
    assert [plan.start_at_s for plan in plans[:2]] == pytest.approx([20 + 0.5 / 8, 20 + 1.5 / 8])
    assert plans[0].id != plans[1].id
    assert {plan.fault for plan in plans} == {"f1"}


def config_with_trace(folder: Path) -> LoadConfig:
    return LoadConfig("http://127.0.0.1:1", "m", PROFILE, "s7", trace={"dir": str(folder), "rate": 4.0})


def starts(config: LoadConfig, count: int) -> list[float]:
    return [plan.start_at_s for plan in islice(config.plans(), count)]


def test_a_scale_multiplies_the_rate_and_keeps_the_sessions() -> None:
    whole, half = CONFIG, msgspec.structs.replace(CONFIG, scale=0.5)
    assert starts(half, 5) != starts(whole, 5)
    late = [plan for plan in islice(whole.plans(), 400) if plan.start_at_s < 30.0]
    assert len([plan for plan in islice(half.plans(), 400) if plan.start_at_s < 30.0]) == pytest.approx(
        len(late) / 2, abs=1
    )
    assert [plan.id for plan in islice(half.plans(), 3)] == [plan.id for plan in islice(whole.plans(), 3)]


def test_arrivals_take_the_place_of_those_of_the_profile() -> None:
    config = msgspec.structs.replace(CONFIG, arrivals=ArrivalsSpec(constant=Constant(2.0)))
    assert starts(config, 3) == [0.25, 0.75, 1.25]
    decoded = msgspec.json.decode(msgspec.json.encode(config), type=LoadConfig)
    assert starts(decoded, 3) == [0.25, 0.75, 1.25]
