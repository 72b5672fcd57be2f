"""Ends a run early, and chooses the reason that is reported if there are several."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

__all__ = ["EXIT_CODE_PRECEDENCE", "EarlyEnd", "Ended", "most_severe"]

T = TypeVar("T")

EXIT_CODE_PRECEDENCE = (130, 5, 1, 4)
"""The exit codes of runs that did not pass, by precedence."""


class Ended(Exception):
    """Why a run ended early. `event`: the `event` of the record's last run event; `exit_code`: of the command."""

    def __init__(self, event: str, why: str, exit_code: int) -> None:
        self.event = event
        self.why = why
        self.exit_code = exit_code
        super().__init__(why)


def most_severe(reasons: Sequence[Ended]) -> Ended | None:
    """The reason whose exit code has precedence, the earliest of several such reasons. None if there is no reason."""
    return min(reasons, key=lambda ended: (*EXIT_CODE_PRECEDENCE, 3).index(ended.exit_code), default=None)


class EarlyEnd:
    """Ends a run early, from any task or callback. Whatever the run waits for, it awaits by `or_end`.

    `on_first()` is called at once with the first reason, whatever the run is waiting for. Must be created in a running
    event loop.
    """

    def __init__(self, on_first: Callable[[], None] = lambda: None) -> None:
        self.reasons: list[Ended] = []
        self._on_first = on_first
        self._first: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def end(self, event: str, why: str, exit_code: int) -> None:
        """End the run early. The first reason ends it; the most severe one until the record is closed is reported."""
        self.reasons.append(Ended(event, why, exit_code))
        if not self._first.done():
            self._first.set_result(self.reasons[0])
            self._on_first()

    @property
    def ending(self) -> bool:
        """Whether there is a reason to end early."""
        return self._first.done()

    async def or_end(self, waiting: Awaitable[T]) -> T:
        """Await something. Raises `Ended`, and cancels it, if the run ends early meanwhile."""
        task: asyncio.Future[T] = asyncio.ensure_future(waiting)
        either: list[asyncio.Future[Any]] = [task, self._first]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        succeeded = task.done() and not task.cancelled() and task.exception() is None
        if task.done() and not (succeeded and self._first.done()):
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise self._first.result()
