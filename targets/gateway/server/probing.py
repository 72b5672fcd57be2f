"""Active readiness probes: one task per replica asks for its readiness and reports the result to the router."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import aiohttp

from targets.gateway.config import Probes, Upstream
from targets.gateway.policies.health.probes import ProbeResult

__all__ = ["probe_forever"]

_LEAST_PAUSE_S = 0.02


async def probe_forever(
    session: aiohttp.ClientSession,
    upstream: Upstream,
    probes: Probes,
    report: Callable[[ProbeResult], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Probes until cancelled. `report` returns the seconds until the next probe."""
    url = upstream.url.rstrip("/") + probes.path
    timeout = aiohttp.ClientTimeout(total=probes.timeout_s)
    while True:
        began = monotonic()
        pause_s = report(await _probe(session, url, timeout))
        await sleep(max(_LEAST_PAUSE_S, pause_s - (monotonic() - began) if pause_s else 0.0))


async def _probe(session: aiohttp.ClientSession, url: str, timeout: aiohttp.ClientTimeout) -> ProbeResult:
    try:
        async with session.get(url, timeout=timeout, allow_redirects=False) as response:
            status = response.status
            return ProbeResult(status == 200, f"HTTP {status}", says_not_ready=status == 503)
    except TimeoutError:
        return ProbeResult(False, "probe timed out")
    except (aiohttp.ClientError, OSError) as error:
        refused = isinstance(getattr(error, "os_error", error), ConnectionRefusedError)
        return ProbeResult(False, str(error) or type(error).__name__, connection_refused=refused)
