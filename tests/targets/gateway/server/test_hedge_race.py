"""The race for the first token: a client that disconnects at any moment, and the loser's result."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from targets.gateway.server.failures import AttemptError
from targets.gateway.server.hedge_race import race
from targets.gateway.server.upstream_attempt import UpstreamAttempt


class FakeAttempt:
    """Has its first token once `ready` is set; records how it was finished."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.finished: list[AttemptError | None] = []

    def finish(self, error: AttemptError | None, tokens: int, passed_on: int) -> None:
        self.finished.append(error)

    async def first_token(self) -> AttemptError | None:
        await self.ready.wait()
        return None


def start(attempt: UpstreamAttempt) -> asyncio.Task[AttemptError | None]:
    return asyncio.create_task(cast(Any, attempt).first_token())


@pytest.mark.parametrize("steps", range(12))
async def test_at_any_client_disconnect_each_attempt_is_finished_or_handed_over(steps: int) -> None:
    first, second = FakeAttempt(), FakeAttempt()
    made: list[FakeAttempt] = [first]

    def hedge() -> UpstreamAttempt:
        made.append(second)
        second.ready.set()
        return cast(UpstreamAttempt, second)

    racing = asyncio.create_task(race(cast(UpstreamAttempt, first), start, 0.0, hedge))
    while len(made) < 2:
        await asyncio.sleep(0)
    for _ in range(steps):
        await asyncio.sleep(0)
    racing.cancel()
    await asyncio.wait([racing])
    handed_over = [] if racing.cancelled() else [cast(Any, racing.result()[0])]
    assert [len(attempt.finished) for attempt in made if attempt not in handed_over] == [1] * (2 - len(handed_over))
    assert all(not attempt.finished for attempt in handed_over)


async def test_the_loser_is_finished_as_such_and_the_winner_is_not_finished() -> None:
    first, second = FakeAttempt(), FakeAttempt()
    second.ready.set()
    winner, error = await race(cast(UpstreamAttempt, first), start, 0.0, lambda: cast(UpstreamAttempt, second))
    assert (cast(Any, winner), error) == (second, None)
    assert [loss is not None and loss.lost_race for loss in first.finished] == [True]
    assert second.finished == []
