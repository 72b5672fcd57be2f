"""The gateway's HTTP server on aiohttp: both APIs, health, metrics, and the control port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web

from reports.shared.errors import UserError
from reports.shared.port_limits import PortLimits
from targets.bodies import BodyError, read_body
from targets.control import Control
from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.anthropic_stream import AnthropicStream
from targets.gateway.api.incoming import decode
from targets.gateway.api.openai_stream import OpenAIStream
from targets.gateway.config import GatewayConfig, Upstream
from targets.gateway.policies.health.probes import ProbeResult
from targets.gateway.server.context import GatewayContext
from targets.gateway.server.detached import DetachedRequests
from targets.gateway.server.probing import probe_forever
from targets.gateway.server.request import ProxiedRequest
from targets.gateway.server.scraping import scrape_forever
from targets.gateway.telemetry.metrics import GatewayCounts, Metrics

__all__ = ["GatewayServer"]

_APIS: dict[str, type[OpenAIStream | AnthropicStream]] = {
    "/v1/chat/completions": OpenAIStream,
    "/v1/messages": AnthropicStream,
}
_MAX_BODY = 64 * 1024 * 1024  # bytes


class GatewayServer:
    """The reference gateway. Call `await start()`, then `await close()` (idempotent).

    `port` and `control_port` are the real ports once started. `context` exists once started. `token`: required in each
    request to the control port.
    """

    def __init__(
        self,
        config: GatewayConfig,
        token: str = "",
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        control_limits: PortLimits | None = None,
    ) -> None:
        self.config = config
        self.port = config.port
        self.control_port = config.control_port
        self.counts = GatewayCounts()
        self.detached = DetachedRequests()
        self.context: GatewayContext
        self._token = token
        self._sleep = sleep
        self._control_limits = control_limits
        self._metrics = Metrics(self.counts, self.snapshot)
        self._runner: web.ServerRunner | None = None
        self._control: Control | None = None
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}  # probes and scrapes, by replica

    async def start(self) -> None:
        """Starts to listen. Raises `UserError` when the port is taken."""
        context = self.context = GatewayContext(self.config, self.counts, self._sleep)
        server = web.Server(
            self._handle, request_factory=self._make_request, handler_cancellation=True, access_log=None
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        self.port = await self._listen(self._runner, self.config.host, self.config.port)
        if self.config.control_port is not None:
            self._control = Control(context.behaviours, self._token, self._control_limits, context.operations)
            self.control_port = await self._listen_for_control(self._control, self.config.control_port)
        context.deadlines.start()
        context.on_operated = self._watch_upstreams
        self._watch_upstreams()

    def _watch_upstreams(self) -> None:
        """Probe and scrape every upstream, except those in reserve: they may not exist."""
        for upstream in self.config.upstreams:
            if self.context.operations.in_reserve(upstream.pool):
                for task in self._tasks.pop(upstream.name, []):
                    task.cancel()
            elif upstream.name not in self._tasks:
                self._tasks[upstream.name] = self._watch(upstream)

    def _watch(self, upstream: Upstream) -> list[asyncio.Task[None]]:
        context, policies = self.context, self.config.policies
        tasks = []
        if policies.probes is not None:
            report = self._probe_reporter(upstream.name)
            probing = probe_forever(context.session, upstream, policies.probes, report, self._sleep)
            tasks.append(asyncio.create_task(probing))
        if policies.balancing.kind == "reported_load":
            record = partial(context.router.record_reported_load, upstream.name)
            scraping = scrape_forever(context.session, upstream, policies.balancing.scrape_s, record, self._sleep)
            tasks.append(asyncio.create_task(scraping))
        return tasks

    async def close(self) -> None:
        """Stops the server. Running requests are cancelled after a second."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        tasks = [task for of_replica in self._tasks.values() for task in of_replica]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self.context.on_operated = lambda: None
        self.context.deadlines.stop()
        if self._control is not None:
            await self._control.close()
        self.context.behaviours.close()
        await self.detached.close()
        await runner.cleanup()
        await self.context.close()

    async def _listen(self, runner: web.ServerRunner, host: str, port: int) -> int:
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            await self.close()
            raise _cannot_listen(host, port, error) from error
        return int(runner.addresses[0][1])

    async def _listen_for_control(self, control: Control, port: int) -> int:
        try:
            return await control.start(port)
        except OSError as error:
            await self.close()
            raise _cannot_listen("127.0.0.1", port, error) from error

    def snapshot(self) -> dict[str, Any]:
        """Returns the counters that `docs/wire.md` describes."""
        context = self.context
        now = context.loop.time()
        return {
            "replicas": {
                replica.name: {
                    "pool": replica.upstream.pool,
                    "breaker": replica.breaker.state.value if replica.breaker is not None else "closed",
                    "ejected": replica.ejected,
                    "drained": replica.drained,
                    "in_flight": replica.in_flight,
                    "load_ms": round(context.router.load_ms(now, replica), 3),
                    "places": replica.limit.places if replica.limit is not None else None,
                }
                for replica in context.router.replicas.values()
            },
            "operations": context.operations.listing(),
            "panic": context.router.panic,
            "queued": context.admission.queued if context.admission is not None else 0,
            "requests": self.counts.requests,
            "attempts": self.counts.attempts,
            "migrations": self.counts.migrations,
            "retries": self.counts.retries,
            "hedges": self.counts.hedges,
            "refused": self.counts.refused,
            "hits": dict(context.behaviours.hits),
        }

    # -- requests ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        api = _APIS.get(request.path)
        if api is not None and request.method == "POST":
            return await self._proxy(request, api)
        if request.method not in ("GET", "HEAD"):
            return web.json_response(
                {"error": {"message": f"no such endpoint: {request.method} {request.path}"}}, status=404
            )
        if request.path in ("/health", "/health/ready"):
            shut_out = sorted(replica.name for replica in self.context.router.replicas.values() if replica.shut_out)
            return web.json_response({"status": "ok", "shut_out": shut_out})
        if request.path == "/metrics":
            return web.Response(body=self._metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})
        if request.path == "/v1/models":
            model = {"id": self.config.model, "object": "model", "created": 0, "owned_by": "brownout"}
            return web.json_response({"object": "list", "data": [model] if self.config.model else []})
        return web.json_response({"error": {"message": f"no such page: {request.path}"}}, status=404)

    async def _proxy(self, request: web.BaseRequest, api: type[OpenAIStream | AnthropicStream]) -> web.StreamResponse:
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
        response = ProxiedRequest(self.context, request, raw, body, partial(api, body)).run()
        return await (response if self.config.policies.cancellation is not None else self.detached.run(response))

    def _make_request(
        self,
        message: Any,
        payload: aiohttp.StreamReader,
        protocol: Any,
        writer: Any,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, self.context.loop, client_max_size=_MAX_BODY)

    def _probe_reporter(self, name: str) -> Callable[[ProbeResult], float]:
        def report(probed: ProbeResult) -> float:
            pause_s = self.context.router.record_probe(self.context.loop.time(), name, probed)
            self.context.report_changes()
            return pause_s

        return report


def _cannot_listen(host: str, port: int, error: OSError) -> UserError:
    return UserError(
        f"the gateway cannot listen on {host}:{port}: {error.strerror or error}\n"
        "    choose another port, or 0 for any free one"
    )


def _error(api: type[AnswerStream], status: int, message: str) -> web.Response:
    return web.Response(
        status=status, body=api.error_body(status, message), headers={"Content-Type": "application/json"}
    )
