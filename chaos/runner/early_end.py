"""Why a run ended early, and of several reasons the one that counts; and how it is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

__all__ = ["URGENCY", "EarlyEnd", "Ended", "gravest"]

T = TypeVar("T")

URGENCY = (130, 5, 1, 4)
"""Exit codes, the one that goes first first."""


class Ended(Exception):
    """Why a run ended early. `event` is the name of the run event, `exit_code` what the command answers with."""

    def __init__(self, event: str, why: str, exit_code: int) -> None:
        self.event = event
        self.why = why
        self.exit_code = exit_code
        super().__init__(why)


def gravest(reasons: Sequence[Ended]) -> Ended | None:
    """Of several reasons the one whose exit code goes first, the earliest of those; None of none."""
    return min(reasons, key=lambda ended: URGENCY.index(ended.exit_code), default=None)


class EarlyEnd:
    """Ends a run early, from anywhere; what the run waits for is waited for with `or_end`. Needs a running loop."""

    def __init__(self) -> None:
        self.reasons: list[Ended] = []
        self._first: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def end(self, event: str, why: str, exit_code: int) -> None:
        """End the run early. The first reason ends it, the gravest until the record is closed names it."""
        self.reasons.append(Ended(event, why, exit_code))
        if not self._first.done():
            self._first.set_result(self.reasons[0])

    async def or_end(self, waiting: Awaitable[T]) -> T:
        """Wait for something, unless the run ends first: then raise why."""
        task: asyncio.Future[T] = asyncio.ensure_future(waiting)
        either: list[asyncio.Future[Any]] = [task, self._first]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise self._first.result()
