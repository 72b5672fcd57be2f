"""Overload control of the whole gateway on real sockets: refusals, the queue, degraded responses."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from reports.shared.tenancy import key_of
from reports.shared.tokens import Marker, token_stream
from targets.gateway.config import (
    Admission,
    Concurrency,
    Degradation,
    Probes,
    Queue,
    Tier,
)
from tests.support.gateway_harness import POLICIES, Act, request_body, rig, until

ONE = Concurrency(kind="fixed", initial=1, least=1)


LINE = Queue(max_length=2, interval_s=0.2, target_s=0.05, prefill_factor=0.0, longest_s=5.0)


BATCH = f"Bearer {key_of('acme', 'batch')}"


def limited(tokens_per_s: float, burst: float) -> Admission:
    return Admission(tiers={"subscription": Tier(), "batch": Tier(tokens_per_s=tokens_per_s, burst_tokens=burst)})


async def test_a_tenant_above_its_limit_gets_a_429_and_is_admitted_after_the_wait() -> None:
    async with rig(1, admission=limited(100.0, 80.0)) as at:
        assert (await at.call(request_body(), Authorization=BATCH)).status == 200
        refused = await at.call(request_body(), Authorization=BATCH)
        assert refused.status == 429
        assert refused.headers["Retry-After"] == "1"
        assert b"acme (batch) exceeds 100 tokens/s; try again in 1 s" in refused.raw
        assert (await at.call(request_body(), Authorization=f"Bearer {key_of('other', 'batch')}")).status == 200
        assert (await at.call(request_body())).status == 200  # no tenant
        async with asyncio.timeout(5.0):
            while (again := await at.call(request_body(), Authorization=BATCH)).status == 429:
                assert again.headers["Retry-After"] == "1"
        assert again.status == 200
        assert at.replicas[0].headers[0]["Authorization"] == BATCH


async def test_a_refusal_without_a_promise_forbids_retries() -> None:
    tiers = replace(limited(1.0, 80.0), longest_wait_s=2.0)
    async with rig(1, admission=tiers) as at:
        await at.call(request_body(), Authorization=BATCH)
        refused = await at.call(request_body(), Authorization=BATCH)
        assert refused.headers["x-should-retry"] == "false"
        assert int(refused.headers["Retry-After"]) > 2


async def test_the_x_api_key_header_names_the_tenant() -> None:
    async with rig(1, admission=limited(1.0, 1.0)) as at:
        headers = {"x-api-key": key_of("acme", "batch")}
        first = await at.call(request_body(), "/v1/messages", **headers)
        second = await at.call(request_body(), "/v1/messages", **headers)
        assert (first.status, second.status) == (200, 429)
        assert b'"type":"error"' in second.raw


async def test_a_request_without_a_place_waits_until_one_is_free() -> None:
    async with rig(1, concurrency=ONE, queue=LINE) as at:
        at.replicas[0].script.append(Act("hang"))
        first = asyncio.create_task(at.call(request_body()))
        await until(lambda: at.replicas[0].running == 1)
        second = asyncio.create_task(at.call(request_body(marker=Marker("s2", "main", 0))))
        await until(lambda: at.gateway.snapshot()["queued"] == 1)
        assert len(at.replicas[0].bodies) == 1
        at.replicas[0].release.set()
        assert (await second).status == 200
        await first
        assert at.gateway.snapshot()["queued"] == 0


async def test_a_full_queue_responds_503_with_retry_after() -> None:
    async with rig(1, concurrency=ONE, queue=replace(LINE, max_length=1)) as at:
        at.replicas[0].always = Act("hang")
        calls = [asyncio.create_task(at.call(request_body())) for _ in range(2)]
        await until(lambda: at.gateway.snapshot()["queued"] == 1)
        refused = await at.call(request_body())
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert at.gateway.counts.refused == 1
        async with at.http.get(at.url + "/metrics") as response:
            text = await response.text()
        assert "brownout_gateway_queued 1.0" in text
        assert 'brownout_gateway_places{pool="pool",replica="r0"} 1.0' in text
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_request_whose_client_left_the_queue_is_not_sent() -> None:
    async with rig(1, concurrency=ONE, queue=LINE, timeouts=replace(POLICIES.timeouts, first_token_s=5.0)) as at:
        at.replicas[0].script.append(Act("hang"))
        first = asyncio.create_task(at.call(request_body()))
        await until(lambda: at.replicas[0].running == 1)
        second = asyncio.create_task(at.call(request_body()))
        await until(lambda: at.gateway.snapshot()["queued"] == 1)
        second.cancel()
        await until(lambda: at.gateway.snapshot()["queued"] == 0)
        first.cancel()
        await until(lambda: at.replicas[0].running == 0)
        assert (await at.call(request_body())).status == 200
        assert len(at.replicas[0].bodies) == 2


async def test_while_all_replicas_are_down_queued_calls_wait_and_are_then_served() -> None:
    probes = Probes(interval_s=0.05, timeout_s=1.0, fall=1, rise=1)
    fixed = Concurrency(kind="fixed", initial=4, least=1)
    async with rig(2, concurrency=fixed, queue=LINE, probes=probes) as at:
        for replica in at.replicas:
            replica.ready = False
        await until(lambda: at.router.capacity()[0] == 0)
        calls = [asyncio.create_task(at.call(request_body())) for _ in range(5)]
        await until(lambda: at.gateway.snapshot()["queued"] == 2)  # its maximum length
        at.replicas[0].ready = True
        seen = [await call for call in calls]
        assert sorted(one.status for one in seen) == [200, 200, 503, 503, 503]
        assert at.served() == [2, 0]


async def test_a_request_that_waits_too_long_under_overload_gets_a_503() -> None:
    slow = replace(POLICIES.timeouts, first_token_s=10.0)
    async with rig(1, concurrency=ONE, queue=LINE, timeouts=slow) as at:
        at.replicas[0].always = Act("hang")
        first = asyncio.create_task(at.call(request_body()))
        await until(lambda: at.replicas[0].running == 1)
        dropped = await at.call(request_body())
        assert dropped.status == 503
        assert b"s in the queue, more than 0.10 s" in dropped.raw
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


DIM = Degradation(tiers=("batch",), from_load=0.1, to_load=0.2, least_share=0.5, least_tokens=4)


async def test_a_degraded_response_is_shorter_complete_and_has_the_header() -> None:
    tiers = Admission(tiers={"batch": Tier()}, default_tier="batch")
    two = Concurrency(kind="fixed", initial=2, least=1)
    async with rig(1, admission=tiers, concurrency=two, degradation=DIM) as at:
        full = await at.call(request_body(20))
        assert "X-Brownout-Degraded" not in full.headers
        at.replicas[0].script.append(Act("hang"))
        other = asyncio.create_task(at.call(request_body(20)))
        await until(lambda: at.replicas[0].running == 1)
        less = await at.call(request_body(20))
        assert less.headers["X-Brownout-Degraded"] == "max_tokens=10"
        assert less.text == token_stream(Marker("s1", "main", 0).key, 10)
        assert at.replicas[0].bodies[-1]["max_tokens"] == 10
        assert (less.finish, less.terminals) == (["stop"], 1)
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)


async def test_a_migrated_degraded_response_keeps_its_lower_limit() -> None:
    tiers = Admission(tiers={"batch": Tier()}, default_tier="batch")
    fixed = Concurrency(kind="fixed", initial=1, least=1)
    async with rig(2, admission=tiers, concurrency=fixed, degradation=DIM) as at:
        at.replicas[0].script.append(Act("hang"))
        at.replicas[1].script.append(Act("hang"))
        other = asyncio.create_task(at.call(request_body(20)))
        await until(lambda: sum(replica.running for replica in at.replicas) == 1)
        for replica in at.replicas:
            replica.script.clear()
            replica.script.append(Act("fin", after=3))
        less = await at.call(request_body(20))
        assert less.text == token_stream(Marker("s1", "main", 0).key, 10)
        assert less.terminals == 1
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)


@pytest.mark.parametrize("limit", [-1_000_000, 10**400])
async def test_implausible_max_tokens_is_forwarded_and_charged_as_unlimited(limit: int) -> None:
    async with rig(1, admission=limited(0.001, 1000.0)) as at:
        for replica in at.replicas:
            replica.always = Act("status", status=400)
        odd = {**request_body(), "max_tokens": limit}
        assert (await at.call(odd, Authorization=BATCH)).status == 400
        replica.always = Act()
        assert (await at.call(request_body(), Authorization=BATCH)).status == 200


async def test_a_refusal_names_a_tenant_whose_key_is_not_utf_8() -> None:
    async with rig(1, admission=limited(100.0, 80.0)) as at:
        assert b" 200 OK" in await _post_with_key(at.gateway.port, b"sk-brownout-caf\xe9.batch")
        refused = await _post_with_key(at.gateway.port, b"sk-brownout-caf\xe9.batch")
        assert b" 429 Too Many Requests" in refused
        assert rb"caf\\udce9 (batch) exceeds 100 tokens/s" in refused


async def _post_with_key(port: int, key: bytes) -> bytes:
    """Sends a request whose key is raw bytes; returns the raw response."""
    body = msgspec.json.encode(request_body())
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %b\r\n" % key
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    answer = await asyncio.wait_for(reader.read(), 5.0)
    writer.close()
    return answer
