"""An action is done once: the same key again gets the first answer, also while the first is still under way.

An action belongs to the session and not to the connection: it goes on when the browser that sent it is gone.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from reports.shared.control_server import Refused

__all__ = ["Answer", "Once"]

MOST_KEYS: Final = 256
"""Answers that are kept for each session; the oldest ones are forgotten."""
MOST_UNDER_WAY: Final = 16
"""Actions of a session that are not done yet."""


class Answer(NamedTuple):
    """Status and JSON body of an answer."""

    status: int
    body: bytes


class Once:
    """The actions of one session, by key."""

    def __init__(self, keys: int = MOST_KEYS, under_way: int = MOST_UNDER_WAY) -> None:
        self._keys = keys
        self._most_under_way = under_way
        self._answers: OrderedDict[str, asyncio.Task[Answer]] = OrderedDict()

    async def answer(self, key: str, act: Callable[[], asyncio.Task[Answer]]) -> Answer:
        """The first answer of a key, which the task that `act` starts makes.

        Raises Refused (429) if too many actions are under way.
        """
        task = self._answers.get(key)
        if task is None:
            if len(self.under_way()) >= self._most_under_way:
                why = "too many of your actions are still under way; wait for them"
                raise Refused(429, why, {"Retry-After": "1"})
            task = act()
            self._answers[key] = task
            self._forget()
        return await asyncio.shield(task)

    def under_way(self) -> list[asyncio.Task[Answer]]:
        """The actions that are not done yet."""
        return [task for task in self._answers.values() if not task.done()]

    def _forget(self) -> None:
        for key in list(self._answers):
            if len(self._answers) <= self._keys:
                break
            if self._answers[key].done():
                del self._answers[key]
