"""Hedging through the server: the winner, the cancelled loser, and when there is no second attempt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from reports.shared.tokens import token_stream
from targets.gateway.config import Balancing, Hedging, Timeouts
from tests.support.gateway_harness import MARKER, Act, Rig, request_body, rig, until

HEDGING = Hedging(min_samples=20, window=20, least_s=0.05, share=0.5)


@asynccontextmanager
async def warm(**changes: Any) -> AsyncIterator[Rig]:
    """Two upstreams in turn behind a gateway with enough samples for a hedge, and a saved budget."""
    settings = {
        "balancing": Balancing("round_robin"),
        "affinity": None,
        "hedging": HEDGING,
        "timeouts": Timeouts(first_token_s=5.0, between_tokens_s=5.0),
        **changes,
    }
    async with rig(2, **settings) as at:
        for _ in range(20):
            assert (await at.call(request_body(2))).status == 200
        assert at.gateway.snapshot()["hedges"] == 0
        for replica in at.replicas:
            replica.bodies.clear()
        yield at


async def test_a_late_first_token_is_hedged_and_the_loser_is_cancelled() -> None:
    async with warm() as at:
        at.replicas[0].always = Act("hang")
        seen = await asyncio.wait_for(at.call(request_body(20)), 2.0)
        assert seen.status == 200
        assert seen.terminals == 1
        assert seen.text == "".join(token_stream(MARKER.key, 20))
        assert at.served() == [1, 1]
        await until(lambda: at.replicas[0].cancelled == 1)
        snapshot = at.gateway.snapshot()
        assert (snapshot["hedges"], snapshot["retries"]) == (1, 0)
        assert [replica["in_flight"] for replica in snapshot["replicas"].values()] == [0, 0]
        assert snapshot["replicas"]["r0"]["ejected"] is False
        assert at.router.replicas["r0"].latency.cost(at.gateway.context.loop.time()) >= 0.04  # the lost time counts


async def test_when_one_attempt_fails_the_other_continues() -> None:
    async with warm() as at:
        at.replicas[0].always = Act("hang")
        at.replicas[1].script.append(Act("status", status=500))
        call = asyncio.create_task(at.call(request_body(5)))
        await until(lambda: at.served() == [1, 1] and at.router.replicas["r1"].in_flight == 0)
        assert not call.done()
        at.replicas[0].always = Act()
        at.replicas[0].release.set()  # returns 503: both attempts have failed, and a retry succeeds
        assert (await asyncio.wait_for(call, 2.0)).status == 200


async def test_fast_first_tokens_and_non_streaming_requests_are_not_hedged() -> None:
    async with warm() as at:
        assert (await at.call(request_body(5))).status == 200
        assert (await at.call(request_body(5, stream=False))).status == 200
        assert at.gateway.snapshot()["hedges"] == 0


async def test_a_client_disconnect_cancels_both_attempts() -> None:
    async with warm() as at:
        for replica in at.replicas:
            replica.always = Act("hang")
        call = asyncio.create_task(at.call(request_body(5)))
        await until(lambda: at.served() == [1, 1])
        call.cancel()
        await until(lambda: [replica.cancelled for replica in at.replicas] == [1, 1])
        await until(lambda: at.router.in_flight == 0)


async def test_a_stream_that_fails_after_a_race_is_migrated() -> None:
    async with warm() as at:
        at.replicas[0].always = Act("hang")
        at.replicas[1].script.append(Act("rst", after=7))
        at.replicas[1].pace_s = 0.02
        call = asyncio.create_task(at.call(request_body(20)))
        await until(lambda: len(at.replicas[1].bodies) == 1)
        at.replicas[0].always = Act()
        seen = await asyncio.wait_for(call, 2.0)
        assert seen.text == "".join(token_stream(MARKER.key, 20))
        assert at.gateway.snapshot()["migrations"] == 1


async def test_a_stall_after_a_race_is_detected() -> None:
    async with warm(timeouts=Timeouts(first_token_s=5.0, between_tokens_s=0.2)) as at:
        at.replicas[0].always = Act("hang")
        at.replicas[1].script.append(Act("stall", after=3))
        at.replicas[1].pace_s = 0.02
        call = asyncio.create_task(at.call(request_body(10)))
        await until(lambda: len(at.replicas[1].bodies) == 1)
        at.replicas[0].always = Act()
        seen = await asyncio.wait_for(call, 3.0)
        assert seen.text == "".join(token_stream(MARKER.key, 10))
