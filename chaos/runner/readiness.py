"""Waits until servers are ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import aiohttp

__all__ = ["all_ready"]

POLL_EVERY_S = 0.05


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
