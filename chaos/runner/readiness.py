"""Waits until servers are ready. One whose process has ended is not waited for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import aiohttp

from reports.shared.errors import TargetFailed

__all__ = ["ProcessEnded", "all_ready", "unless_ended"]

POLL_EVERY_S = 0.05

T = TypeVar("T")


class ProcessEnded(TargetFailed):
    """The process `name` has ended before it was ready."""

    def __init__(self, name: str, status: int) -> None:
        how = f"killed by signal {-status}" if status < 0 else f"exit code {status}"
        super().__init__(f"{name} exited before it was ready ({how})")
        self.name = name


class _Processes(Protocol):
    async def wait(self, name: str) -> int: ...


async def unless_ended(processes: _Processes, names: Iterable[str], waiting: Awaitable[T]) -> T:
    """Await that processes, which were started, are ready. Raises ProcessEnded as soon as one of them has ended.

    `processes.wait(name)`: returns the status of a process when it has ended.
    """
    ready: asyncio.Future[T] = asyncio.ensure_future(waiting)
    ended = {asyncio.ensure_future(processes.wait(name)): name for name in names}
    either: list[asyncio.Future[Any]] = [ready, *ended]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for one, name in ended.items():
            if not ready.done() and one.done():
                raise ProcessEnded(name, one.result())
        return ready.result()
    finally:
        for task in either:
            task.cancel()
        await asyncio.gather(*either, return_exceptions=True)


async def all_ready(urls: Mapping[str, str], on_ready: Callable[[str], None] = lambda name: None) -> None:
    """Poll `GET URL/health/ready` of each server until it returns 200, then call `on_ready(name)`. No time limit."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1), trust_env=False) as session:

        async def one(name: str, url: str) -> None:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with session.get(f"{url}/health/ready") as response:
                        if response.status == 200:
                            break
                await asyncio.sleep(POLL_EVERY_S)
            on_ready(name)

        await asyncio.gather(*(one(name, url) for name, url in urls.items()))
