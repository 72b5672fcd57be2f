"""Calls that go on though their client has left: what a gateway without cancellation does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

__all__ = ["Unheard"]


class Unheard:
    """Keeps answers under way from being cancelled with the handlers that wait for them."""

    def __init__(self) -> None:
        self._answering: set[asyncio.Task[web.StreamResponse]] = set()

    def __len__(self) -> int:
        return len(self._answering)

    async def answer(self, answering: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        """The answer; cancelled, it leaves the answering to its end."""
        task = asyncio.ensure_future(answering)
        self._answering.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends them all."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _over(self, task: asyncio.Task[web.StreamResponse]) -> None:
        self._answering.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it
