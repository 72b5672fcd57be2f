"""Load reports: one task per replica reads its `/metrics`, for balancing by `reported_load`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from targets.gateway.config import Upstream
from targets.gateway.policies.balancing.reported_load import read_load

__all__ = ["scrape_forever"]

_TIMEOUT_S = 1.0


async def scrape_forever(
    session: aiohttp.ClientSession,
    upstream: Upstream,
    every_s: float,
    report: Callable[[float], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Scrapes until cancelled and passes each load to `report`. A failed scrape changes nothing."""
    url = upstream.url.rstrip("/") + "/metrics"
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    while True:
        try:
            async with session.get(url, timeout=timeout, allow_redirects=False) as response:
                load = read_load(await response.read()) if response.status == 200 else None
        except (aiohttp.ClientError, OSError, TimeoutError):
            load = None
        if load is not None:
            report(load)
        await sleep(every_s)
