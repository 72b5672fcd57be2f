"""The control port: access, leases, and invalid requests."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from reports.shared.control_port import TOKEN_HEADER
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import TOKEN, control, put

RIGHT = {TOKEN_HEADER: TOKEN}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({TOKEN_HEADER: "wrong"}, 401),
        (RIGHT | {"Host": "evil.example"}, 403),
        (RIGHT | {"Host": "127.0.0.1.evil.example:80"}, 403),
        (RIGHT | {"Origin": "http://localhost"}, 403),
        (RIGHT | {"Host": "localhost"}, 200),
        (RIGHT | {"Host": "[::1]:1234"}, 200),
        (RIGHT, 200),
    ],
)
async def test_only_requests_with_token_and_local_host_are_accepted(
    replica: ReplicaServer, headers: dict[str, str], status: int
) -> None:
    assert (await control(replica, "GET", "/behaviours", headers=headers))[0] == status


async def test_a_behaviour_is_put_listed_renewed_and_deleted(replica: ReplicaServer) -> None:
    await put(replica, "f1", "latency", params={"ms": 5}, lease_s=20)
    await put(replica, "f2", "stall")
    status, listing = await control(replica, "GET", "/behaviours")
    assert status == 200
    assert {name: (entry["kind"], entry["hits"]) for name, entry in listing.items()} == {
        "f1": ("latency", 0),
        "f2": ("stall", 0),
    }
    assert 19 < listing["f1"]["expires_in_s"] <= 20
    assert await control(replica, "POST", "/behaviours/renew", {"ids": ["f1", "gone"]}) == (200, {"renewed": ["f1"]})
    assert await control(replica, "DELETE", "/behaviours/f1") == (200, {"hits": 0})
    assert await control(replica, "DELETE", "/behaviours/never") == (200, {"hits": 0})
    assert set((await control(replica, "GET", "/behaviours"))[1]) == {"f2"}


async def test_a_second_put_replaces_the_first(replica: ReplicaServer) -> None:
    await put(replica, "f1", "latency", params={"ms": 5})
    await put(replica, "f1", "http_error")
    listing = (await control(replica, "GET", "/behaviours"))[1]
    assert listing["f1"]["kind"] == "http_error"


async def test_only_a_lease_that_is_not_renewed_expires(replica: ReplicaServer) -> None:
    await put(replica, "short", "stall", lease_s=2)
    await put(replica, "renewed", "stall", lease_s=2)
    await control(replica, "POST", "/behaviours/renew", {"ids": ["renewed"]})
    await put(replica, "long", "stall", lease_s=30)
    listed: set[str] = {"short"}
    while "short" in listed:
        await control(replica, "POST", "/behaviours/renew", {"ids": ["renewed"]})
        listed = set((await control(replica, "GET", "/behaviours"))[1])
    assert listed == {"renewed", "long"}
    assert await control(replica, "POST", "/behaviours/renew", {"ids": ["short"]}) == (200, {"renewed": []})


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"kind": "gremlin", "lease_s": 5}, "gremlin"),
        ({"kind": "latency", "lease_s": 5}, "ms"),
        ({"kind": "latency", "params": {"ms": -1}, "lease_s": 5}, "ms"),
        ({"kind": "latency", "params": {"ms": 1, "sm": 2}, "lease_s": 5}, "sm"),
        ({"kind": "cut", "params": {"how": "gently"}, "lease_s": 5}, "how"),
        ({"kind": "http_error", "params": {"status": 200}, "lease_s": 5}, "status"),
        ({"kind": "stall", "lease_s": 0}, "lease_s"),
        ({"kind": "stall"}, "lease_s"),
        ({"kind": "stall", "lease_s": 5, "share": 1.5}, "share"),
        ({"kind": "slow_decode", "params": {"factor": 2}, "lease_s": 5, "share": 0.5}, "share"),
        ({"kind": "slow_decode", "params": {"factor": 0}, "lease_s": 5}, "factor"),
        ("no object", "object"),
    ],
)
async def test_invalid_kinds_and_parameters_are_400_and_change_nothing(
    replica: ReplicaServer, body: Any, what: str
) -> None:
    status, answer = await control(replica, "PUT", "/behaviours/f1", body)
    assert status == 400
    assert what in answer["error"]
    assert await control(replica, "GET", "/behaviours") == (200, {})


async def test_unknown_paths_are_404_and_other_methods_405(replica: ReplicaServer) -> None:
    assert (await control(replica, "GET", "/"))[0] == 404
    assert (await control(replica, "PATCH", "/behaviours/f1"))[0] == 405


async def test_a_body_nested_too_deeply_is_400(replica: ReplicaServer) -> None:
    body = b'{"kind": "latency", "lease_s": 5, "params": {"ms": %b}}' % (b"[" * 99_999 + b"]" * 99_999)
    async with (
        aiohttp.ClientSession(headers={TOKEN_HEADER: TOKEN}) as session,
        session.put(replica.control_url + "/behaviours/f1", data=body, headers=JSON) as response,
    ):
        assert response.status == 400
        assert "recursion" in (await response.json())["error"]
