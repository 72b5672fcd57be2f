"""A race for the first token, and a client that leaves at any moment of it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from targets.gateway.server.failures import DeadError
from targets.gateway.server.hedge_race import race
from targets.gateway.server.upstream_attempt import Leg


class FakeLeg:
    """Has its first token once it is `ready`; notes how it was settled."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.settled: list[DeadError | None] = []

    def settle(self, dead: DeadError | None, tokens: int, passed_on: int) -> None:
        self.settled.append(dead)

    async def lead(self) -> DeadError | None:
        await self.ready.wait()
        return None


def lead(leg: Leg) -> asyncio.Task[DeadError | None]:
    return asyncio.create_task(cast(Any, leg).lead())


@pytest.mark.parametrize("steps", range(12))
async def test_whenever_the_client_leaves_each_attempt_is_settled_or_handed_over(steps: int) -> None:
    first, second = FakeLeg(), FakeLeg()
    made: list[FakeLeg] = [first]

    def hedge() -> Leg:
        made.append(second)
        second.ready.set()
        return cast(Leg, second)

    racing = asyncio.create_task(race(cast(Leg, first), lead, 0.0, hedge))
    while len(made) < 2:
        await asyncio.sleep(0)
    for _ in range(steps):
        await asyncio.sleep(0)
    racing.cancel()
    await asyncio.wait([racing])
    handed_over = [] if racing.cancelled() else [racing.result()[0]]
    assert [len(leg.settled) for leg in made if leg not in handed_over] == [1] * (2 - len(handed_over))
    assert all(not cast(Any, leg).settled for leg in handed_over)


async def test_the_loser_was_outrun() -> None:
    first, second = FakeLeg(), FakeLeg()
    second.ready.set()
    assert await race(cast(Leg, first), lead, 0.0, lambda: cast(Leg, second)) == (second, None)
    assert [dead is not None and dead.outrun for dead in first.settled] == [True]
    assert second.settled == []
