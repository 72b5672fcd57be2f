"""The gateway's server: client disconnects, dead and frozen replicas, session affinity, health, metrics."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from math import inf
from time import monotonic

import pytest

from reports.shared.attributes import Outcome
from reports.shared.errors import UserError
from reports.shared.tokens import Marker, token_stream
from targets.gateway.config import Affinity, Balancing, GatewayConfig, GatewayPolicies, Probes, Retries, Timeouts
from targets.gateway.server.server import GatewayServer
from tests.support.gateway_harness import MARKER, POLICIES, Act, request_body, rig, until

NAIVE = GatewayPolicies(
    balancing=Balancing("round_robin"),
    affinity=None,
    breaker=None,
    ejection=None,
    panic=None,
    retries=Retries(max_retries=2, max_resends=0, avoid_failed=False, backoff=None, budget=None),
    timeouts=Timeouts(connect_s=1, first_token_s=0.3, prefill_factor=0, between_tokens_s=5, total_s=20),
    migration=None,
    probes=None,
)


def whole(text: str, tokens: int, marker: Marker = MARKER) -> bool:
    return text == token_stream(marker.key, tokens)


@pytest.mark.parametrize("act", [Act("hang"), Act("stall", 0), Act("stall", 3)])
async def test_a_client_disconnect_cancels_the_upstream_attempt(act: Act) -> None:
    async with rig(1, timeouts=Timeouts(first_token_s=30, between_tokens_s=30)) as at:
        [replica] = at.replicas
        replica.always = act
        call = asyncio.create_task(at.call(request_body()))
        await until(lambda: replica.running == 1)
        call.cancel()
        await until(lambda: replica.running == 0 and replica.cancelled == 1, 1.0)
        await until(lambda: at.router.in_flight == 0 and len(at.gateway.context.deadlines) == 0)
        assert at.router.replicas["r0"].breaker is not None
        assert sum(at.served()) == 1


@pytest.mark.parametrize("act", [Act("stall", 0), Act("stall", 3)])
async def test_without_cancellation_a_call_runs_on_after_a_client_disconnect(act: Act) -> None:
    async with rig(1, cancellation=None, timeouts=Timeouts(first_token_s=30, between_tokens_s=30)) as at:
        [replica] = at.replicas
        replica.script.append(act)
        call = asyncio.create_task(at.call(request_body()))
        await until(lambda: replica.running == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (await at.call(request_body(4, marker=Marker("s2", "main", 0)))).status == 200
        assert len(at.gateway.detached) == 1
        assert replica.cancelled == 0
        replica.release.set()
        await until(lambda: replica.running == 0 and len(at.gateway.detached) == 0)
        assert replica.cancelled == 0
        assert at.router.in_flight == 0


async def test_without_cancellation_retries_continue_after_a_client_disconnect() -> None:
    policies = replace(NAIVE, cancellation=None)
    async with rig(2, policies) as at:
        for replica in at.replicas:
            replica.always = Act("hang")
        call = asyncio.create_task(at.call(request_body()))
        await until(lambda: sum(at.served()) == 1)
        call.cancel()
        await until(lambda: sum(at.served()) == 3)  # each times out after 0.3 s
        await until(lambda: len(at.gateway.detached) == 0)


async def test_closing_the_gateway_ends_detached_requests() -> None:
    async with rig(1, cancellation=None, timeouts=Timeouts(first_token_s=30, between_tokens_s=30)) as at:
        [replica] = at.replicas
        replica.always = Act("stall", 0)
        call = asyncio.create_task(at.call(request_body()))
        await until(lambda: replica.running == 1)
        call.cancel()
        async with asyncio.timeout(5):
            await at.gateway.close()
        assert len(at.gateway.detached) == 0


async def test_refused_connections_are_resent_without_delay() -> None:
    async with rig(3) as at:
        dead = at.replicas[0]
        await dead.stop()
        began = monotonic()
        for n in range(12):
            marker = Marker(f"s{n}", "main", 0)
            seen = await at.call(request_body(5, marker=marker))
            assert whole(seen.text, 5, marker)
        assert monotonic() - began < 2.0
        assert at.gateway.snapshot()["replicas"]["r0"]["in_flight"] == 0


async def test_a_restarted_replica_is_readmitted_within_a_second() -> None:
    probes = Probes(interval_s=0.1, timeout_s=0.2)
    async with rig(2, probes=probes) as at:
        states = at.router.replicas
        dead = at.replicas[0]
        await dead.stop()
        await until(lambda: states["r0"].shut_out)
        assert at.gateway.snapshot()["replicas"]["r0"]["ejected"] is True
        for n in range(4):
            assert (await at.call(request_body(3, marker=Marker(f"a{n}", "main", 0)))).status == 200
        assert not dead.bodies
        await dead.start()
        await until(lambda: not states["r0"].shut_out, 1.0)
        for n in range(12):
            await at.call(request_body(3, marker=Marker(f"b{n}", "main", 0)))
        assert dead.bodies


async def test_waiting_requests_of_a_frozen_replica_move_to_another() -> None:
    probes = Probes(interval_s=0.1, timeout_s=0.15)
    async with rig(2, probes=probes, timeouts=Timeouts(first_token_s=30, between_tokens_s=30)) as at:
        at.replicas[0].always = at.replicas[1].always = Act("hang")
        calls = [asyncio.create_task(at.call(request_body(5, marker=Marker(f"s{n}", "main", 0)))) for n in range(4)]
        await until(lambda: sum(at.served()) == 4)
        frozen = at.replicas[0]
        at.replicas[1].always = Act()
        at.replicas[1].release.set()
        frozen.frozen = True
        results = await asyncio.wait_for(asyncio.gather(*calls), 5.0)
        assert [seen.status for seen in results] == [200] * 4


async def test_a_draining_replica_gets_no_new_calls_and_keeps_its_running_ones() -> None:
    probes = Probes(interval_s=0.1, timeout_s=0.15)
    async with rig(2, probes=probes, timeouts=Timeouts(first_token_s=30, between_tokens_s=30)) as at:
        draining = at.replicas[0]
        draining.always = Act("hang")
        states = at.router.replicas
        states["r1"].paused_until = inf
        had = asyncio.create_task(at.call(request_body(5)))
        await until(lambda: len(draining.bodies) == 1)
        draining.ready = False
        await until(lambda: states["r0"].draining)
        states["r1"].paused_until = 0.0
        assert [(await at.call(request_body(5, marker=Marker("other", "main", 0)))).status for _ in range(3)] == [
            200
        ] * 3
        assert at.served() == [1, 3]
        assert states["r0"].in_flight == 1
        had.cancel()


async def test_reported_load_balancing_uses_the_scraped_metrics() -> None:
    async with rig(2, balancing=Balancing(kind="reported_load", scrape_s=0.02), affinity=None) as at:
        at.replicas[0].reports = 7.0
        states = at.router.replicas
        await until(lambda: (states["r0"].reported_load, states["r1"].reported_load) == (7.0, 0.0))
        for _ in range(4):
            await at.call(request_body(3))
        assert at.served() == [0, 4]


async def test_a_session_moves_once_when_its_home_dies_and_does_not_return() -> None:
    async with rig(3, affinity=Affinity(min_cap=8)) as at:

        async def turn(n: int) -> str:
            before = at.served()
            await at.call(request_body(4, marker=Marker("s1", "main", n)))
            after = at.served()
            return next(f"r{i}" for i in range(3) if after[i] > before[i])

        homes = [await turn(n) for n in range(4)]
        assert len(set(homes)) == 1
        home = at.at(homes[0])
        await home.stop()
        moved = [await turn(n) for n in range(4, 8)]
        assert len(set(moved)) == 1
        assert moved[0] != home.name
        home.release.clear()
        await home.start()
        await until(lambda: not at.router.replicas[home.name].shut_out, 3.0)
        assert {await turn(n) for n in range(8, 11)} == set(moved)


async def test_the_session_header_takes_precedence_over_the_body() -> None:
    async with rig(4) as at:
        headers = {"x-session-affinity": "mine"}
        for n in range(6):
            await at.call(request_body(2, marker=Marker(f"s{n}", "main", 0)), **headers)
        assert sorted(at.served()) == [0, 0, 0, 6]


async def test_the_naive_gateway_retries_blindly_twice() -> None:
    async with rig(1, NAIVE) as at:
        at.replicas[0].always = Act("status", status=500)
        seen = await at.call(request_body())
        assert (seen.status, at.served()) == (500, [3])
        at.replicas[0].always = Act("fin", 2)
        seen = await at.call(request_body())
        assert (len(seen.errors), seen.terminals, at.served()) == (1, 0, [4])


async def test_the_naive_gateway_forwards_tool_calls_unbuffered() -> None:
    async with rig(1, NAIVE) as at:
        seen = await at.call(request_body(12, tools=[{"type": "function"}]))
        stream = token_stream(MARKER.key, 12)
        assert seen.text + seen.arguments == stream[:24] + '{"input":"' + stream[24:] + '"}'
        assert (seen.finish, seen.terminals) == (["tool_calls"], 1)


async def test_the_first_token_timeout_is_extended_by_the_predicted_prefill() -> None:
    timeouts = Timeouts(first_token_s=0.05, prefill_factor=3.0)
    # A body of about 60 tokens, and 1 s of prefill per token: a timeout of about 180 s, whatever the machine's load.
    async with rig(1, retries=None, timeouts=timeouts, prefill_us_per_token=1e6) as at:
        at.replicas[0].pace_s = 0.3  # six times the timeout without prefill
        seen = await at.call(request_body(1))
        assert whole(seen.text, 1)
    async with rig(1, retries=None, timeouts=timeouts) as at:
        at.replicas[0].always = Act("stall", 0)  # no token at all, so that a late check changes nothing
        seen = await at.call(request_body(1))
        assert seen.status == 504
        assert b"no token within 0.05 s" in seen.raw


async def test_a_large_body_is_forwarded() -> None:
    body = request_body(3)
    body["messages"].insert(0, {"role": "system", "content": "x" * 3_000_000})
    async with rig(1) as at:
        assert whole((await at.call(body)).text, 3)


async def test_headers_and_trace_context_are_forwarded_without_an_sdk() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with rig(1) as at:
        await at.call(request_body(2), traceparent=parent, authorization="Bearer k")
        got = {name.lower(): value for name, value in at.replicas[0].headers[0].items()}
        assert got["traceparent"] == parent
        assert got["authorization"] == "Bearer k"


async def test_health_models_and_metrics_endpoints_respond() -> None:
    async with rig(2) as at:
        await at.call(request_body(2))
        for path in ("/health", "/health/ready", "/v1/models"):
            async with at.http.get(at.url + path) as response:
                assert response.status == 200
        async with at.http.get(at.url + "/metrics") as response:
            text = await response.text()
        assert "brownout_gateway_requests_total 1.0" in text
        assert 'brownout_gateway_breaker{pool="pool",replica="r0",state="closed"} 1.0' in text
        snapshot = at.gateway.snapshot()
        assert {name: snapshot[name] for name in ("requests", "attempts", "migrations", "retries", "refused")} == {
            "requests": 1,
            "attempts": 1,
            "migrations": 0,
            "retries": 0,
            "refused": 0,
        }
        assert set(snapshot["replicas"]["r0"]) == {
            "pool",
            "breaker",
            "ejected",
            "drained",
            "in_flight",
            "load_ms",
            "places",
        }
        async with at.http.get(at.url + "/nothing") as response:
            assert response.status == 404


async def test_a_port_in_use_is_a_user_error() -> None:
    async with rig(1) as at:
        config = GatewayConfig(at.gateway.config.upstreams, port=at.gateway.port)
        with pytest.raises(UserError, match="cannot listen on"):
            await GatewayServer(config).start()


async def test_all_streams_of_a_stalling_replica_are_migrated() -> None:
    async with rig(2, POLICIES, affinity=None, balancing=Balancing("round_robin")) as at:
        stalling = at.replicas[0]
        stalling.always = Act("stall", 4)
        results = await asyncio.gather(
            *(at.call(request_body(12, marker=Marker(f"s{n}", "main", 0))) for n in range(8))
        )
        assert all(whole(seen.text, 12, Marker(f"s{n}", "main", 0)) for n, seen in enumerate(results))
        assert at.gateway.snapshot()["migrations"] >= 4
        assert at.router.replicas["r0"].shut_out


async def test_a_call_above_the_total_timeout_ends_with_an_error_event() -> None:
    async with rig(1, timeouts=replace(POLICIES.timeouts, between_tokens_s=None, total_s=0.3)) as at:
        at.replicas[0].pace_s = 0.1
        seen = await at.call(request_body(50))
        assert (len(seen.errors), seen.terminals) == (1, 0)


async def test_upstream_connections_are_reused() -> None:
    async with rig(1) as at:
        for n in range(5):
            await at.call(request_body(4, marker=Marker(f"s{n}", "main", 0)))
        assert len(at.replicas[0].peers) == 1


async def test_a_stale_keep_alive_connection_is_invisible_to_the_client() -> None:
    async with rig(1) as at:
        [replica] = at.replicas
        assert whole((await at.call(request_body(4))).text, 4)
        await replica.stop()
        replica.release.clear()
        await replica.start()
        assert whole((await at.call(request_body(4))).text, 4)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("after", [0, 30])
async def test_a_cleanly_truncated_response_body_is_retried(path: str, after: int) -> None:
    async with rig(2) as at:
        for replica in at.replicas:
            replica.script.append(Act("clean", after))
        seen = await at.call(request_body(5, stream=False), path)
        assert seen.status == 200
        assert token_stream(MARKER.key, 5).encode() in seen.raw
        assert sum(at.served()) == 3
        assert at.gateway.counts.outcomes == {Outcome.OK: 1}


async def test_a_client_that_does_not_read_is_no_failure_of_the_replica() -> None:
    async with rig(1, timeouts=Timeouts(connect_s=1, first_token_s=5, between_tokens_s=5, total_s=3)) as at:
        [replica] = at.replicas
        await at.call(request_body(1))
        replica.always = Act("flood")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", at.gateway.port))
            body = json.dumps(request_body(5, max_tokens=None)).encode()
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.sendall(body)
            await until(lambda: at.router.in_flight == 1)
            await until(lambda: at.router.in_flight == 0)
            await until(lambda: at.gateway.counts.outcomes[Outcome.ABANDONED] == 1)
        state = at.router.replicas["r0"]
        assert state.breaker is not None
        assert [failed for failed, _ in state.breaker._window] == [False]
        assert sum(at.served()) == 2
