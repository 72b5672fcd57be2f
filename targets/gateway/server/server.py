"""The gateway's server: aiohttp around the router. Both APIs, health, metrics; everything that decides is elsewhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from io import BytesIO
from random import Random
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from reports.shared.errors import UserError
from targets.bodies import BodyError, read_body
from targets.control import Control
from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.anthropic_stream import AnthropicStream
from targets.gateway.api.incoming import decode
from targets.gateway.api.openai_stream import OpenAIStream
from targets.gateway.behaviours.active import ActiveBehaviours
from targets.gateway.config import GatewayConfig
from targets.gateway.policies.health.probes import Probed
from targets.gateway.routing.admission import Entrance
from targets.gateway.routing.router import Router
from targets.gateway.server.deadlines import Sweeper
from targets.gateway.server.detached import Unheard
from targets.gateway.server.probing import probe_forever
from targets.gateway.server.request import Exchange
from targets.gateway.server.scraping import scrape_forever
from targets.gateway.telemetry.metrics import Counts, Metrics
from targets.gateway.telemetry.tracing import Tracing

__all__ = ["GatewayServer"]

_log = logging.getLogger("brownout.gateway")

_APIS: dict[str, type[OpenAIStream | AnthropicStream]] = {
    "/v1/chat/completions": OpenAIStream,
    "/v1/messages": AnthropicStream,
}
_MAX_BODY = 64 * 1024 * 1024


class GatewayServer:
    """The reference gateway. `await start()`, `await close()` (idempotent); `port` is the real one once started, and so
    is `control_port`. `token`: what a request to that must carry."""

    def __init__(
        self, config: GatewayConfig, token: str = "", *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.config = config
        self.control_port = config.control_port
        self._token = token
        self.sleep = sleep
        self.counts = Counts()
        self.port = config.port
        self.unheard = Unheard()
        self._metrics = Metrics(self.counts, self.snapshot)
        self._runner: web.ServerRunner | None = None
        self._control: web.ServerRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []  # probes and scrapes
        self.loop: asyncio.AbstractEventLoop
        self.router: Router
        self.behaviours: ActiveBehaviours
        self.entrance: Entrance | None = None
        self.sweeper: Sweeper
        self.tracing: Tracing
        self._session: aiohttp.ClientSession

    async def start(self) -> None:
        """Listens. Raises `UserError` when the port is taken."""
        policies = self.config.policies
        self.loop = asyncio.get_running_loop()
        self.tracing = Tracing()
        self.router = Router(self.config, Random(f"{self.config.seed}/gateway"), self.loop.time())
        self.behaviours = ActiveBehaviours(self.loop, list(self.router.replicas), self.router.stick)
        if policies.admission or policies.concurrency or policies.degradation:
            self.entrance = Entrance(policies, self.router)
        self.sweeper = Sweeper(self.loop, policies.ejection, self._tick, self.router.paced)
        self._bases = {upstream.name: URL(upstream.url) for upstream in self.config.upstreams}
        self._urls: dict[tuple[str, str], URL] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60.0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=policies.timeouts.connect_s),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent",),
        )
        server = web.Server(
            self._handle, request_factory=self._make_request, handler_cancellation=True, access_log=None
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        self.port = await self._listen(self._runner, self.config.host, self.config.port)
        if self.config.control_port is not None:
            control = Control(self.behaviours, self._token)
            self._control = web.ServerRunner(web.Server(control.handle, access_log=None), shutdown_timeout=0.1)
            self.control_port = await self._listen(self._control, "127.0.0.1", self.config.control_port)
        self.sweeper.start()
        if policies.probes is not None:
            for upstream in self.config.upstreams:
                tell = self._teller(upstream.name)
                self._tasks.append(
                    asyncio.create_task(probe_forever(self._session, upstream, policies.probes, tell, self.sleep))
                )
        if policies.balancing.kind == "reported_load":
            for upstream in self.config.upstreams:
                says = partial(self.router.reported, upstream.name)
                every_s = policies.balancing.scrape_s
                self._tasks.append(
                    asyncio.create_task(scrape_forever(self._session, upstream, every_s, says, self.sleep))
                )

    async def close(self) -> None:
        """Stops; requests under way are cancelled after a second."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.sweeper.stop()
        if self._control is not None:
            await self._control.cleanup()
        self.behaviours.close()
        await self.unheard.close()
        await runner.cleanup()
        await self._session.close()

    async def _listen(self, runner: web.ServerRunner, host: str, port: int) -> int:
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            await self.close()
            raise UserError(
                f"the gateway cannot listen on {host}:{port}: {error.strerror or error}\n"
                "    choose another port, or 0 for any free one"
            ) from error
        return int(runner.addresses[0][1])

    def snapshot(self) -> dict[str, Any]:
        """Counters as in `docs/wire.md`."""
        now = self.loop.time()
        return {
            "replicas": {
                replica.name: {
                    "pool": replica.upstream.pool,
                    "breaker": replica.breaker.state.value if replica.breaker is not None else "closed",
                    "ejected": replica.ejected,
                    "in_flight": replica.in_flight,
                    "load_ms": round(self.router.load_ms(now, replica), 3),
                    "places": replica.limit.places if replica.limit is not None else None,
                }
                for replica in self.router.replicas.values()
            },
            "panic": self.router.panic,
            "queued": self.entrance.queued if self.entrance is not None else 0,
            "requests": self.counts.requests,
            "attempts": self.counts.attempts,
            "migrations": self.counts.migrations,
            "retries": self.counts.retries,
            "hedges": self.counts.hedges,
            "refused": self.counts.refused,
            "hits": dict(self.behaviours.hits),
        }

    # -- for an Exchange ---------------------------------------------------------------------------------------------

    def announce(self) -> None:
        """Tells the world what policies changed their minds about."""
        for change in self.router.changes():
            _log.info("%s %s: %s", change.transition.value, change.replica or "all", change.why)
            if self.tracing.on:
                self.tracing.change(change)

    async def post(
        self, replica: str, path: str, data: bytes | BytesIO, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        """Sends an attempt to a replica; returns once its headers are there."""
        url = self._urls.get((replica, path))
        if url is None:
            url = self._urls[replica, path] = self._bases[replica].joinpath(path.lstrip("/"))
        return await self._session.post(url, data=data, headers=headers, allow_redirects=False)

    # -- requests ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        api = _APIS.get(request.path)
        if api is not None and request.method == "POST":
            return await self._call(request, api)
        if request.method not in ("GET", "HEAD"):
            return web.json_response(
                {"error": {"message": f"no such call: {request.method} {request.path}"}}, status=404
            )
        if request.path in ("/health", "/health/ready"):
            shut_out = sorted(replica.name for replica in self.router.replicas.values() if replica.shut_out)
            return web.json_response({"status": "ok", "shut_out": shut_out})
        if request.path == "/metrics":
            return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})
        if request.path == "/v1/models":
            model = {"id": self.config.model, "object": "model", "created": 0, "owned_by": "brownout"}
            return web.json_response({"object": "list", "data": [model] if self.config.model else []})
        return web.json_response({"error": {"message": f"no such page: {request.path}"}}, status=404)

    async def _call(self, request: web.BaseRequest, api: type[OpenAIStream | AnthropicStream]) -> web.StreamResponse:
        self.counts.requests += 1
        if "Expect" in request.headers:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            raw = await read_body(request, _MAX_BODY)
            body = decode(raw)
        except web.HTTPRequestEntityTooLarge:
            return _error(api, 413, f"the body is larger than {_MAX_BODY} bytes")
        except BodyError as error:
            return _error(api, 400, str(error))
        answering = Exchange(self, request, raw, body, partial(api, body)).run()
        return await (answering if self.config.policies.cancellation is not None else self.unheard.answer(answering))

    def _make_request(
        self,
        message: Any,
        payload: aiohttp.StreamReader,
        protocol: Any,
        writer: Any,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, self.loop, client_max_size=_MAX_BODY)

    def _teller(self, name: str) -> Callable[[Probed], float]:
        def tell(probed: Probed) -> float:
            pause_s = self.router.probed(self.loop.time(), name, probed)
            self.announce()
            return pause_s

        return tell

    def _tick(self, now: float) -> bool:
        self.router.advance(now)
        self.announce()
        if self.entrance is not None:
            self.entrance.advance(now)
        return not self.router.panic


def _error(api: type[AnswerStream], status: int, message: str) -> web.Response:
    return web.Response(
        status=status, body=api.error_body(status, message), headers={"Content-Type": "application/json"}
    )
