"""A race for the first token (hedging): a second leg where the first is late, and the loser is cancelled at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reports.shared.attributes import Outcome
from targets.gateway.server.failures import DeadError
from targets.gateway.server.upstream_attempt import Leg

__all__ = ["race"]


async def race(
    first: Leg,
    lead: Callable[[Leg], asyncio.Task[DeadError | None]],
    after_s: float,
    second: Callable[[], Leg | None],
) -> tuple[Leg, DeadError | None]:
    """The leg that goes on, or that died last, with its death. All others are settled.

    `lead` starts a leg's way to its first token; `second` makes the other leg after `after_s` seconds, if anybody may
    have it. A leg that dies leaves the race to the other. Cancelling this (the client left) cancels both.
    """
    legs = {lead(first): first}
    over = DeadError(Outcome.ABANDONED, "the client left")
    try:
        done, _ = await asyncio.wait(legs, timeout=after_s)
        if not done:
            other = second()
            if other is not None:
                legs[lead(other)] = other
        while True:
            done, _ = await asyncio.wait(legs, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: task.result() is not None):
                dead = task.result()
                leg = legs.pop(task)
                if dead is None or not legs:
                    over = DeadError(Outcome.ABANDONED, "the other attempt was faster", outrun=True)
                    return leg, dead
                leg.fall(dead)
    finally:
        # Nothing is awaited here: a client that left in that very moment would leave the winner, and them, to nobody.
        for task, loser in legs.items():
            task.cancel()
            task.add_done_callback(_over)
            loser.settle(over, 0, 0)


def _over(task: asyncio.Task[DeadError | None]) -> None:
    if not task.cancelled():
        task.exception()  # the race is decided: nobody is left to hear of it
