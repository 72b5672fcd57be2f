"""Hedging: when the first token is late, a second attempt starts; the first one with a token wins, the other is
cancelled at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reports.shared.attributes import Outcome
from targets.gateway.server.failures import AttemptError
from targets.gateway.server.upstream_attempt import UpstreamAttempt

__all__ = ["race"]


async def race(
    first: UpstreamAttempt,
    start: Callable[[UpstreamAttempt], asyncio.Task[AttemptError | None]],
    after_s: float,
    hedge: Callable[[], UpstreamAttempt | None],
) -> tuple[UpstreamAttempt, AttemptError | None]:
    """Returns the winner and None, or the attempt that failed last and its error. All others are finished.

    `start` begins reading an attempt up to its first token. `hedge` makes the second attempt after `after_s` seconds;
    None: there is no replica or no budget for one. When one attempt fails, the other goes on. Cancelling this
    coroutine (the client disconnected) cancels both.
    """
    running = {start(first): first}
    error = AttemptError(Outcome.ABANDONED, "the client disconnected")
    try:
        done, _ = await asyncio.wait(running, timeout=after_s)
        if not done:
            second = hedge()
            if second is not None:
                running[start(second)] = second
        while True:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: task.result() is not None):
                failure = task.result()
                attempt = running.pop(task)
                if failure is None or not running:
                    error = AttemptError(Outcome.ABANDONED, "the other attempt was faster", lost_race=True)
                    return attempt, failure
                attempt.fail(failure)
    finally:
        # No await here: if the client disconnects at this moment, neither the winner nor the losers would be finished.
        for task, loser in running.items():
            task.cancel()
            task.add_done_callback(_discard_result)
            loser.finish(error, 0, 0)


def _discard_result(task: asyncio.Task[AttemptError | None]) -> None:
    if not task.cancelled():
        task.exception()  # marks it as retrieved; the race is already decided
