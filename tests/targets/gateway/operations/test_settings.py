"""The operator's settings on a real gateway, over its control port."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reports.shared.tenancy import key_of
from reports.shared.tokens import Marker
from targets.gateway.config import Admission, Balancing, GatewayConfig, Operations, Tier, Upstream
from targets.gateway.server.server import GatewayServer
from tests.support.gateway_harness import Act, Rig, request_body, rig, until

POOLS = ("a", "b")


async def put(at: Rig, **state: list[str]) -> Any:
    status, body = await at.control("PUT", "/operations", state)
    assert status == 200, body
    return body


async def statuses(at: Rig, calls: int = 4, **headers: str) -> list[int]:
    bodies = [request_body(2, marker=Marker(f"s{n}", "main", 0)) for n in range(calls)]
    return [(await at.call(body, **headers)).status for body in bodies]


async def test_a_drained_pool_gets_no_new_attempt_and_its_streams_go_on() -> None:
    async with rig(2, pools=POOLS, acts={"r0": [Act("stall", 2)], "r1": []}, affinity=None) as at:
        await put(at, drained=["b"])
        call = asyncio.create_task(at.call(request_body(4)))
        await until(lambda: at.at("r0").running == 1)
        await put(at, drained=["a"])
        assert await statuses(at) == [200] * 4
        assert at.served() == [1, 4]
        at.at("r0").release.set()
        assert (await call).status == 200
        replicas = at.gateway.snapshot()["replicas"]
        assert {name: one["drained"] for name, one in replicas.items()} == {"r0": True, "r1": False}
        await put(at)
        await statuses(at, 6)
        assert at.served()[0] > 1


async def test_with_every_pool_drained_calls_are_refused_and_told_why() -> None:
    async with rig(2, pools=POOLS) as at:
        await put(at, drained=["a", "b"])
        seen = await at.call(request_body(2))
        assert (seen.status, seen.headers["Retry-After"]) == (503, "10")
        assert b"every replica is drained by the operator" in seen.raw
        assert at.gateway.snapshot()["refused"] == 1
        assert at.served() == [0, 0]


async def test_a_drained_pool_counts_neither_as_healthy_nor_as_shut_out() -> None:
    async with rig(4, pools=("a", "a", "b", "b")) as at:
        at.router.replicas["r0"].ejected = True
        await put(at, drained=["b"])
        assert not at.router.panic  # one of two
        at.router.replicas["r1"].ejected = True
        await put(at, drained=["b"])
        assert at.router.panic
        await put(at)
        assert not at.router.panic  # two of four


@pytest.mark.parametrize("admission", [None, Admission()])
async def test_a_shed_tier_is_refused_and_others_are_served(admission: Admission | None) -> None:
    async with rig(1, admission=admission) as at:
        await put(at, shed=["batch"])
        batch = {"Authorization": f"Bearer {key_of('acme', 'batch')}"}
        seen = await at.call(request_body(2), **batch)
        assert (seen.status, seen.headers["Retry-After"]) == (429, "10")
        assert b"acme (batch): the tier is shed by the operator" in seen.raw
        assert (await at.call(request_body(2), Authorization=f"Bearer {key_of('acme', 'subscription')}")).status == 200
        assert at.gateway.snapshot()["refused"] == 1
        await put(at)
        assert (await at.call(request_body(2), **batch)).status == 200


async def test_a_request_without_a_tier_has_the_default_tier() -> None:
    tiers = {"gold": Tier(), "free": Tier()}
    async with rig(1, admission=Admission(tiers=tiers, default_tier="free")) as at:
        await put(at, shed=["free"])
        assert await statuses(at, 1) == [429]
        await put(at, shed=["gold"])
        assert await statuses(at, 1) == [200]


async def test_a_reserve_gets_nothing_until_it_is_added() -> None:
    async with rig(2, pools=POOLS, reserve=("b",), affinity=None) as at:
        await statuses(at, 6)
        assert at.served()[1] == 0
        await put(at, added=["b"])
        await statuses(at, 6)
        assert at.served()[1] > 0
        served = at.served()[1]
        await put(at)
        await statuses(at, 6)
        assert at.served()[1] == served


async def test_a_switch_is_applied_without_losing_requests_and_undone() -> None:
    failing = {"r0": [Act("status")] * 4, "r1": []}
    async with rig(2, acts=failing, ejection=None, breaker=None, affinity=None) as at:
        await put(at, policies=["retries: off", "balancing: round_robin"])
        found = await statuses(at, 4)
        assert sorted(found) == [200, 200, 503, 503]
        assert at.gateway.snapshot()["operations"]["policies"] == ["retries: off", "balancing: round_robin"]
        await put(at, policies=["balancing: round_robin"])
        assert await statuses(at, 4) == [200] * 4
        assert at.gateway.snapshot()["retries"] == 2


async def test_ejected_replicas_come_back_when_ejection_is_switched_off() -> None:
    failing = {"r0": [Act("status")] * 3, "r1": []}
    async with rig(2, acts=failing, breaker=None, affinity=None, balancing=Balancing("round_robin")) as at:
        await statuses(at, 8)
        assert at.router.replicas["r0"].ejected
        await put(at, policies=["ejection: off"])
        assert not at.router.replicas["r0"].ejected
        await put(at, policies=["ejection: on"])
        assert await statuses(at, 2) == [200, 200]


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"drained": ["c"]}, "unknown pool: c; known: a, b"),
        ({"shed": ["gold"]}, "unknown tier: gold; known: subscription, pay_as_you_go, batch"),
        ({"policies": ["retries: on"]}, "unknown switch: retries: on; known: retries: off, retries: budget"),
        ({"policies": ["retries: off", "retries: budget"]}, "two switches of the same policy: retries"),
        ({"added": ["a"]}, "unknown reserve pool: a; known: none"),
        ({"drained": ["a", "a"]}, "drained names the same entry twice"),
        ({"drain": ["a"]}, "unknown field"),
        ({"drained": "a"}, "Expected `array`"),
    ],
)
async def test_settings_that_do_not_fit_are_refused_and_change_nothing(state: dict[str, Any], why: str) -> None:
    async with rig(2, pools=POOLS) as at:
        await put(at, drained=["b"])
        status, body = await at.control("PUT", "/operations", state)
        assert (status, why in body["error"]) == (400, True), body
        assert (await at.control("GET", "/operations"))[1] == {
            "drained": ["b"],
            "shed": [],
            "policies": [],
            "added": [],
        }


async def test_metrics_show_what_is_in_force() -> None:
    async with rig(2, pools=POOLS) as at:
        await put(at, drained=["b"], policies=["migration: off"])
        async with at.http.get(at.url + "/metrics") as response:
            text = await response.text()
        assert 'brownout_gateway_drained{pool="b",replica="r1"} 1.0' in text
        assert 'brownout_gateway_operation{setting="policies",value="migration: off"} 1.0' in text


async def test_a_gateway_starts_with_the_settings_of_its_configuration() -> None:
    upstreams = tuple(Upstream(f"r{n}", pool, f"http://127.0.0.1:{n + 1}") for n, pool in enumerate(POOLS))
    config = GatewayConfig(upstreams, operations=Operations(drained=("b",), policies=("retries: off",)))
    gateway = GatewayServer(config)
    await gateway.start()
    try:
        assert gateway.snapshot()["replicas"]["r1"]["drained"]
        assert gateway.context.policies.retries is None
    finally:
        await gateway.close()
