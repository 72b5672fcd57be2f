"""What the requests of one gateway share: router, admission, deadlines, telemetry, and HTTP connections to replicas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from io import BytesIO
from random import Random

import aiohttp
from yarl import URL

from targets.gateway.behaviours.active import ActiveBehaviours
from targets.gateway.config import GatewayConfig, GatewayPolicies
from targets.gateway.operations.settings import GatewayOperations
from targets.gateway.routing.admission import RequestAdmission
from targets.gateway.routing.router import Router
from targets.gateway.server.deadlines import DeadlineSweeper
from targets.gateway.telemetry.metrics import GatewayCounts
from targets.gateway.telemetry.tracing import Tracing

__all__ = ["GatewayContext"]

_log = logging.getLogger("brownout.gateway")


class GatewayContext:
    """State of one running gateway. Create it in the event loop that runs the gateway; `close` it at the end."""

    def __init__(self, config: GatewayConfig, counts: GatewayCounts, sleep: Callable[[float], Awaitable[None]]) -> None:
        policies = config.policies
        self.config = config
        self.counts = counts
        self.sleep = sleep
        self.on_operated: Callable[[], None] = lambda: None
        """Called after each change of the operator's settings."""
        self.loop = asyncio.get_running_loop()
        self.tracing = Tracing()
        self.router = Router(config, Random(f"{config.seed}/gateway"), self.loop.time())
        self.behaviours = ActiveBehaviours(self.loop, list(self.router.replicas), self.router.ignore_health)
        self.admission: RequestAdmission | None = None
        if policies.admission or policies.concurrency or policies.degradation:
            self.admission = RequestAdmission(policies, self.router)
        self.deadlines = DeadlineSweeper(self.loop, policies.ejection, self.advance, self.router.record_gap)
        self.operations = GatewayOperations(config, self.router, self.loop.time, self._operated)
        self.deadlines.use_ejection(self.policies.ejection)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60.0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=policies.timeouts.connect_s),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent",),
        )
        self._bases = {upstream.name: URL(upstream.url) for upstream in config.upstreams}
        self._urls: dict[tuple[str, str], URL] = {}

    @property
    def policies(self) -> GatewayPolicies:
        """The policies in force: those of the configuration, changed by the operator's switches."""
        return self.router.policies

    def _operated(self) -> None:
        """The operator's settings have changed."""
        self.deadlines.use_ejection(self.policies.ejection)
        self.report_changes()
        _log.info("operations: %s", self.operations.listing())
        self.on_operated()

    async def post(
        self, replica: str, path: str, data: bytes | BytesIO, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        """Sends an attempt to a replica. Returns when the response headers have arrived."""
        url = self._urls.get((replica, path))
        if url is None:
            url = self._urls[replica, path] = self._bases[replica].joinpath(path.lstrip("/"))
        return await self.session.post(url, data=data, headers=headers, allow_redirects=False)

    def report_changes(self) -> None:
        """Logs and traces the policies' new transitions: ejections, breakers, panic."""
        for change in self.router.take_changes():
            _log.info("%s %s: %s", change.transition.value, change.replica or "all", change.why)
            if self.tracing.on:
                self.tracing.change(change)

    def advance(self, now: float) -> bool:
        """Updates what depends on time alone. Returns whether waiting requests may move to another replica."""
        self.router.advance(now)
        self.report_changes()
        if self.admission is not None:
            self.admission.advance(now)
        return not self.router.panic

    async def close(self) -> None:
        """Closes the connections to the replicas."""
        await self.session.close()
