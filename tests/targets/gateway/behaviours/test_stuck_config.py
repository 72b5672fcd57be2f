"""`stuck_config`: a dead replica keeps getting calls, although the gateway knows that it is unhealthy."""

from __future__ import annotations

from reports.shared.tokens import Marker
from targets.gateway.config import Probes
from tests.support.gateway_harness import request_body, rig, until

STUCK = {"kind": "stuck_config", "params": {"replicas": ["r0"]}, "lease_s": 30}


async def test_a_replica_known_to_be_dead_gets_calls_and_each_is_counted() -> None:
    async with rig(2, probes=Probes(interval_s=0.1, timeout_s=0.2)) as at:
        state = at.router.replicas["r0"]
        await at.replicas[0].stop()
        await until(lambda: state.shut_out)
        before = state.attempts
        for n in range(6):
            await at.call(request_body(3, marker=Marker(f"a{n}", "main", 0)))
        assert state.attempts == before
        await at.control("PUT", "/behaviours/f1", STUCK)
        assert not state.shut_out
        assert state.known_unhealthy
        for n in range(12):
            assert (await at.call(request_body(3, marker=Marker(f"b{n}", "main", 0)))).status == 200
        sent = state.attempts - before
        assert sent > 0
        assert await at.control("DELETE", "/behaviours/f1") == (200, {"hits": sent})
        assert state.shut_out
        for n in range(6):
            await at.call(request_body(3, marker=Marker(f"c{n}", "main", 0)))
        assert state.attempts == before + sent


async def test_calls_to_a_healthy_replica_are_not_counted_as_hits() -> None:
    async with rig(1) as at:
        await at.control("PUT", "/behaviours/f1", STUCK)
        await at.call(request_body(3))
        assert await at.control("DELETE", "/behaviours/f1") == (200, {"hits": 0})
