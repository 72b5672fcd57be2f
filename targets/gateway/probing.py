"""The active probes: one task a replica asks whether it is ready, and tells the router."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import aiohttp

from targets.gateway.config import Probes, Upstream

__all__ = ["probe_forever"]

_LEAST_PAUSE_S = 0.02


async def probe_forever(
    session: aiohttp.ClientSession,
    upstream: Upstream,
    probes: Probes,
    tell: Callable[[bool, str], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Probes until cancelled. `tell(ok, what)` returns the seconds until the next probe."""
    url = upstream.url.rstrip("/") + probes.path
    timeout = aiohttp.ClientTimeout(total=probes.timeout_s)
    while True:
        began = monotonic()
        ok, what = await _probe(session, url, timeout)
        pause_s = tell(ok, what)
        await sleep(max(_LEAST_PAUSE_S, pause_s - (monotonic() - began) if pause_s else 0.0))


async def _probe(session: aiohttp.ClientSession, url: str, timeout: aiohttp.ClientTimeout) -> tuple[bool, str]:
    try:
        async with session.get(url, timeout=timeout, allow_redirects=False) as response:
            return response.status == 200, f"HTTP {response.status}"
    except TimeoutError:
        return False, "no answer in time"
    except (aiohttp.ClientError, OSError) as error:
        return False, str(error) or type(error).__name__
