"""The kinds of demand: what each adds and changes, and orders that are none."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from loadprofiles.demand import Growth, Order, demand_of, read_orders
from loadprofiles.demand.kind import ClientOverride, ExtraSessions
from loadprofiles.sessions.profile import Tenant
from loadprofiles.sessions.profile_file import load_profile
from loadprofiles.sessions.session import Call
from reports.shared.tokens import Marker

PROFILE = replace(load_profile("coding-agent-ci"), tenants=(Tenant("acme", 1, "batch"), Tenant("bolt", 3)))


def call(turn: int) -> Call:
    return Call("main", turn, (), 20, True, Marker("s7-1", "main", turn), True)


def test_a_surge_adds_what_is_above_one_times_the_rate() -> None:
    assert demand_of(Order("f1", "surge", {"factor": 10})).extra_sessions(PROFILE) == ExtraSessions(Growth(9), None)
    params = {"factor": 4, "tenant": "acme", "half_life_s": 5.0}
    assert demand_of(Order("f1", "surge", params)).extra_sessions(PROFILE) == ExtraSessions(Growth(3, 5.0), "acme")


def test_a_heavy_tenant_adds_until_it_has_its_share() -> None:
    extra = demand_of(Order("f1", "heavy_tenant", {"tenant": "acme", "share": 0.6})).extra_sessions(PROFILE)
    assert extra is not None
    assert extra.tenant == "acme"
    # of 100 sessions 25 are its own: with 87.5 more it has 112.5 of 187.5
    assert extra.growth.extra == pytest.approx(0.875)
    less = demand_of(Order("f1", "heavy_tenant", {"tenant": "bolt", "share": 0.6})).extra_sessions(PROFILE)
    assert less == ExtraSessions(Growth(0.0), "bolt")


def test_long_reasoning_makes_a_share_of_the_calls_longer_the_same_ones_with_the_same_seed() -> None:
    calls = [call(turn) for turn in range(400)]

    def longer(seed: int) -> list[int]:
        demand = demand_of(Order("f2", "long_reasoning", {"factor": 50, "share": 0.25}, seed))
        changed = [demand.change_call(one) for one in calls]
        assert {one.max_tokens for one in changed} == {20, 1000}
        assert all(one is before for one, before in zip(changed, calls, strict=True) if one.max_tokens == 20)
        return [one.turn for one in changed if one.max_tokens == 1000]

    assert longer(7) == longer(7)
    assert 70 <= len(longer(7)) <= 130
    assert longer(7) != longer(8)


def test_a_retry_storm_changes_the_clients_habit_and_nothing_else() -> None:
    storm = demand_of(Order("f1", "retry_storm", {"timeout_s": 5.0}))
    assert storm.override == ClientOverride("aggressive", 5.0)
    assert storm.extra_sessions(PROFILE) is None
    one = call(0)
    assert storm.change_call(one) is one
    assert demand_of(Order("f1", "retry_storm")).override == ClientOverride("aggressive", None)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("flood", {}),
        ("surge", {}),
        ("surge", {"factor": 1}),
        ("surge", {"factor": float("nan")}),
        ("surge", {"factor": "two"}),
        ("surge", {"factor": 2, "half_life_s": 0}),
        ("surge", {"factor": 2, "speed": 3}),
        ("heavy_tenant", {"tenant": "acme", "share": 1}),
        ("long_reasoning", {"factor": 0.5, "share": 0.1}),
        ("long_reasoning", {"factor": 5, "share": 0}),
        ("retry_storm", {"timeout_s": -1}),
    ],
)
def test_an_order_that_is_none_is_refused(kind: str, params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        demand_of(Order("f1", kind, params))


def test_of_a_list_what_can_be_read_is_taken_and_the_rest_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    good = {"id": "f1", "kind": "surge", "params": {"factor": 2}, "seed": 7}
    given = [good, {"kind": "surge"}, 5, {"id": "f2", "kind": "flood"}, {"id": "f3", "kind": "surge", "params": {}}]
    with caplog.at_level(logging.ERROR):
        assert [demand.order.id for demand in read_orders(given)] == ["f1"]
    assert len(caplog.records) == 4
    assert read_orders(None) == []
    assert read_orders("surge") == []
