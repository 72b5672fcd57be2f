"""The active probes: one task a replica asks whether it is ready, and tells the router."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import aiohttp

from targets.gateway.config import Probes, Upstream
from targets.gateway.policies.health.probes import Probed

__all__ = ["probe_forever"]

_LEAST_PAUSE_S = 0.02


async def probe_forever(
    session: aiohttp.ClientSession,
    upstream: Upstream,
    probes: Probes,
    tell: Callable[[Probed], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Probes until cancelled. `tell` returns the seconds until the next probe."""
    url = upstream.url.rstrip("/") + probes.path
    timeout = aiohttp.ClientTimeout(total=probes.timeout_s)
    while True:
        began = monotonic()
        pause_s = tell(await _probe(session, url, timeout))
        await sleep(max(_LEAST_PAUSE_S, pause_s - (monotonic() - began) if pause_s else 0.0))


async def _probe(session: aiohttp.ClientSession, url: str, timeout: aiohttp.ClientTimeout) -> Probed:
    try:
        async with session.get(url, timeout=timeout, allow_redirects=False) as response:
            return Probed(response.status == 200, f"HTTP {response.status}", said_so=response.status == 503)
    except TimeoutError:
        return Probed(False, "no answer in time")
    except (aiohttp.ClientError, OSError) as error:
        refused = isinstance(getattr(error, "os_error", error), ConnectionRefusedError)
        return Probed(False, str(error) or type(error).__name__, refused=refused)
