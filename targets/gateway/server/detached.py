"""Requests that continue after their client disconnected, as in a gateway without cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

__all__ = ["DetachedRequests"]


class DetachedRequests:
    """Runs requests in tasks of their own, so that cancelling their handlers does not cancel them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[web.StreamResponse]] = set()

    def __len__(self) -> int:
        return len(self._running)

    async def run(self, request: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        """Returns the response. If this call is cancelled, the request runs on to its end."""
        task = asyncio.ensure_future(request)
        self._running.add(task)
        task.add_done_callback(self._discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancels all running requests and waits for their end."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _discard(self, task: asyncio.Task[web.StreamResponse]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved: the handler may no longer wait for it
