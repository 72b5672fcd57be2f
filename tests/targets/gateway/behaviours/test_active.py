"""The control port of the gateway: access, leases, and invalid behaviours."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from chaos.testing.mock_clock import run_in_virtual_time
from reports.shared.control_port import TOKEN_HEADER
from targets.gateway.behaviours.active import ActiveBehaviours
from tests.support.gateway_harness import rig

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


def test_a_behaviour_ends_when_its_lease_expires() -> None:
    ignored: dict[str, bool] = {}

    async def main() -> None:
        active = ActiveBehaviours(asyncio.get_running_loop(), ["r1"], ignored.__setitem__)
        stuck = {"kind": "stuck_config", "params": {"replicas": ["r1"]}, "lease_s": 2}
        active.put("short", msgspec.json.encode(stuck))
        active.put("renewed", msgspec.json.encode(SLOW))
        await asyncio.sleep(1.9)
        assert ignored == {"r1": True}
        assert active.renew(["renewed"]) == ["renewed"]
        await asyncio.sleep(0.2)
        assert ignored == {"r1": False}
        assert set(active.listing()) == {"renewed"}
        assert active.renew(["short", "renewed"]) == ["renewed"]
        await asyncio.sleep(4.9)
        assert set(active.listing()) == {"renewed"}
        await asyncio.sleep(0.2)
        assert active.listing() == {}

    run_in_virtual_time(main())


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
