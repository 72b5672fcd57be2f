"""Waiting until servers say that they are ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import aiohttp

__all__ = ["all_ready"]

LOOK_EVERY_S = 0.05


async def all_ready(urls: Mapping[str, str], on_ready: Callable[[str], None] = lambda name: None) -> None:
    """Ask every `GET URL/health/ready` until it answers 200; `on_ready(name)` for each. Waits without a limit."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1), trust_env=False) as session:

        async def one(name: str, url: str) -> None:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with session.get(f"{url}/health/ready") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(LOOK_EVERY_S)
            on_ready(name)

        await asyncio.gather(*(one(name, url) for name, url in urls.items()))
