"""The control port of the gateway: access, leases, and invalid behaviours."""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared.control_port import TOKEN_HEADER
from tests.support.gateway_harness import rig, until

SLOW = {"kind": "slow_scheduler", "params": {"ms": 50}, "lease_s": 5}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({TOKEN_HEADER: "wrong"}, 401),
        ({TOKEN_HEADER: ""}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Host": "localhost"}, 200),
        ({}, 200),
    ],
)
async def test_control_requests_need_the_token_and_a_local_host(headers: dict[str, str], status: int) -> None:
    async with rig(1) as at:
        assert (await at.control("GET", "/behaviours", **headers))[0] == status


async def test_a_behaviour_is_put_listed_renewed_and_deleted() -> None:
    async with rig(2) as at:
        assert await at.control("PUT", "/behaviours/f1", SLOW) == (201, {"id": "f1", "kind": "slow_scheduler"})
        stuck = {"kind": "stuck_config", "params": {"replicas": ["r1"]}, "lease_s": 5, "share": None, "seed": 7}
        assert (await at.control("PUT", "/behaviours/f2", stuck))[0] == 201
        _, listing = await at.control("GET", "/behaviours")
        assert {name: (entry["kind"], entry["hits"]) for name, entry in listing.items()} == {
            "f1": ("slow_scheduler", 0),
            "f2": ("stuck_config", 0),
        }
        assert 4 < listing["f1"]["expires_in_s"] <= 5
        assert await at.control("POST", "/behaviours/renew", {"ids": ["f1", "gone"]}) == (200, {"renewed": ["f1"]})
        assert await at.control("DELETE", "/behaviours/f1") == (200, {"hits": 0})
        assert await at.control("DELETE", "/behaviours/never") == (200, {"hits": 0})
        assert set((await at.control("GET", "/behaviours"))[1]) == {"f2"}


async def test_a_behaviour_ends_when_its_lease_expires() -> None:
    async with rig(2) as at:
        stuck = {"kind": "stuck_config", "params": {"replicas": ["r1"]}, "lease_s": 0.2}
        await at.control("PUT", "/behaviours/short", stuck)
        await at.control("PUT", "/behaviours/long", {**SLOW, "lease_s": 60})
        assert at.router.replicas["r1"].health_ignored
        await until(lambda: not at.router.replicas["r1"].health_ignored, 1.0)
        assert set((await at.control("GET", "/behaviours"))[1]) == {"long"}
        assert (await at.control("POST", "/behaviours/renew", {"ids": ["short", "long"]}))[1] == {"renewed": ["long"]}


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "stall", "lease_s": 5},
        {"kind": "slow_scheduler", "lease_s": 5},
        {"kind": "slow_scheduler", "params": {"ms": -1}, "lease_s": 5},
        {"kind": "slow_scheduler", "params": {"ms": "many"}, "lease_s": 5},
        {"kind": "slow_scheduler", "params": {"ms": 5, "speed": 2}, "lease_s": 5},
        {"kind": "slow_scheduler", "params": {"ms": 5}, "lease_s": 0},
        {"kind": "slow_scheduler", "params": {"ms": 5}, "lease_s": 5, "share": 0.5},
        {"kind": "slow_scheduler", "params": {"ms": 5}},
        {"kind": "stuck_config", "params": {"replicas": []}, "lease_s": 5},
        {"kind": "stuck_config", "params": {"replicas": ["r9"]}, "lease_s": 5},
        {"kind": "stuck_config", "params": {"replicas": "r1"}, "lease_s": 5},
        ["nonsense"],
        None,
    ],
)
async def test_an_invalid_behaviour_is_refused_and_changes_nothing(body: Any) -> None:
    async with rig(2) as at:
        status, answer = await at.control("PUT", "/behaviours/f1", body)
        assert status == (415 if body is None else 400)
        assert answer["error"]
        assert (await at.control("GET", "/behaviours"))[1] == {}
        assert (await at.control("PUT", "/elsewhere", SLOW))[0] == 404
