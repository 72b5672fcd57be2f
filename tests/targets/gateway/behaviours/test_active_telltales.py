"""What a client of the gateway sees of its behaviours: their effect, never a name or an id."""

from __future__ import annotations

from typing import Any

import pytest

from reports.shared.tokens import Marker
from targets.gateway.behaviours import BEHAVIOURS
from tests.support.gateway_harness import Rig, request_body, rig
from tests.support.telltales import Telltales

FAULT = "withheld-4711"
PARAMS: dict[str, dict[str, Any]] = {"slow_scheduler": {"ms": 5}, "stuck_config": {"replicas": ["r0", "r1"]}}
SEARCH = Telltales(kinds=[*BEHAVIOURS, "behaviour", "injected", "fault"], ids=[FAULT])


async def told(at: Rig, session: str) -> set[str]:
    """The telltales in answers, their headers, and every page."""
    call = await at.call(request_body(3, marker=Marker(session, "main", 0)))
    seen = {"answer": call.raw, "headers": str(call.headers).encode()}
    for path in ("/health", "/health/ready", "/metrics", "/v1/models", "/nothing"):
        async with at.http.get(at.url + path) as response:
            seen[path] = str(response.raw_headers).encode() + await response.read()
    return {found.word for where, data in seen.items() for found in SEARCH.in_bytes(where, data)}


@pytest.mark.parametrize("kind", BEHAVIOURS)
async def test_no_response_names_a_behaviour(kind: str) -> None:
    async with rig(2) as at:
        assert await told(at, "a") == set()
        fault = {"kind": kind, "params": PARAMS[kind], "lease_s": 30}
        await at.control("PUT", f"/behaviours/{FAULT}", fault)
        assert await told(at, "b") == set()
        for replica in at.replicas:  # a gateway that answers itself
            await replica.stop()
        assert await told(at, "c") == set()
