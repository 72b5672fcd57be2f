"""A replica as a server: the model's APIs on one port, control on another.

ReplicaServer   start(), drain(), close(), snapshot(), url, control_url
serve           serves until an event is set, then closes
"""

from __future__ import annotations

import asyncio
import errno
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from opentelemetry.trace import Tracer

from reports.shared.errors import TargetFailed, UserError
from reports.shared.port_limits import PortLimits
from targets.hardware.profile import load_hardware
from targets.replica.api.anthropic_api import AnthropicApi
from targets.replica.api.api import Api
from targets.replica.api.openai_api import OpenAIApi
from targets.replica.behaviours.active import ActiveBehaviours
from targets.replica.delivery.driver import Driver
from targets.replica.engine.engine import Engine
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.control import ReplicaControl
from targets.replica.server.metrics import Metrics
from targets.replica.server.serving import MAX_BODY_BYTES, WARMING_UP, ModelRequests
from targets.replica.server.spans import Spans

__all__ = ["ReplicaServer", "serve"]

_BACKLOG: Final = 1024
_QUIET_S: Final = 1.0
"""A draining replica exits after it has been idle for this long: a gateway may not have noticed the drain yet."""

_EXPOSITION: Final = "text/plain; version=1.0.0; charset=utf-8"


class ReplicaServer:
    """A simulated replica. `start` needs a running event loop."""

    def __init__(
        self,
        config: ReplicaConfig,
        token: str,
        *,
        tracer: Tracer | None = None,
        control_limits: PortLimits | None = None,
    ) -> None:
        """`tracer` None: OpenTelemetry's global tracer. Raises `UserError` for an unknown hardware profile."""
        hardware = load_hardware(config.hardware)
        self.config = config
        self._engine = Engine(
            hardware.step_cost(),
            hardware.kv_tokens,
            max_sequences=hardware.max_sequences,
            step_tokens=hardware.step_tokens,
            reserve_full_length=hardware.reserve_full_length,
        )
        self._hardware = hardware
        self._token = token
        self._control_limits = control_limits
        self._tracer = tracer
        self._ready_at = 0.0
        self._created = int(time.time())
        self._closing = False
        self._draining = False
        self._listeners: list[asyncio.Server] = []
        self._apps: list[web.Server] = []
        self._ports = (config.port, config.control_port)
        self._apis: dict[str, Api] = {"/v1/chat/completions": OpenAIApi(), "/v1/messages": AnthropicApi()}
        self._pages: dict[str, Callable[[], web.Response]] = {
            "/health": self._health,
            "/health/ready": self._health_ready,
            "/v1/models": self._models,
            "/metrics": self._metrics_page,
            "/version": self._version,
            "/get_server_info": self._server_info,
            "/server_info": self._server_info,
            "/get_model_info": self._model_info,
        }

    @property
    def url(self) -> str:
        """The base URL of the model's APIs."""
        return f"http://{_host(self.config.host)}:{self._ports[0]}"

    @property
    def control_url(self) -> str:
        """The base URL of the control port."""
        return f"http://127.0.0.1:{self._ports[1]}"

    @property
    def ready(self) -> bool:
        """Whether the model accepts requests: after the cold start and before `close`."""
        return not self._closing and time.monotonic() >= self._ready_at

    async def start(self) -> None:
        """Bind both ports and begin the cold start. Raises `UserError` if a port is in use."""
        loop = asyncio.get_running_loop()
        hardware, clock = self._hardware, time.monotonic
        self._driver = Driver(
            self._engine, clock=clock, call_later=loop.call_later, token_overhead_s=hardware.token_overhead_us / 1e6
        )
        self._metrics = Metrics(self._driver, self.config.model)
        self._behaviours = ActiveBehaviours(
            clock=clock, call_later=loop.call_later, engine=self._driver, metrics=self._metrics.text
        )
        self._requests = ModelRequests(
            self.config,
            driver=self._driver,
            behaviours=self._behaviours,
            metrics=self._metrics,
            spans=Spans(self.config, self._tracer),
            clock=clock,
            request_overhead_s=hardware.request_overhead_ms / 1000,
        )
        self._control = ReplicaControl(self._behaviours, self._token, self._control_limits)
        try:
            port = await self._listen(self.config.host, self.config.port)
            control_port = await self._listen_for_control(self.config.control_port)
        except BaseException:
            await self.close(drain_s=0)
            raise
        self._ports = (port, control_port)
        self._ready_at = clock() + self.config.cold_start_s

    async def drain(self) -> None:
        """Report not ready (`GET /health/ready` answers 503), but serve all requests. Returns after one second without
        a request; the sender of the notice may terminate the process earlier."""
        self._draining = True
        await self._requests.wait_until_idle(_QUIET_S)

    async def close(self, drain_s: float = 2.0) -> None:
        """Stop accepting connections, wait up to `drain_s` seconds for requests in progress, and close. Idempotent."""
        self._closing = True
        for listener in self._listeners:
            listener.close()
        if hasattr(self, "_requests"):
            with suppress(TimeoutError):
                async with asyncio.timeout(drain_s):
                    await self._requests.idle.wait()
        for app in self._apps:
            await app.shutdown(timeout=0.1)
        self._listeners.clear()
        self._apps.clear()
        if hasattr(self, "_requests"):
            await self._control.close()
            self._behaviours.close()
            self._driver.close()
            self._requests.close()

    def snapshot(self) -> dict[str, Any]:
        """Returns the replica's counters, as in docs/wire.md."""
        engine = self._engine
        return {
            "running": engine.running,
            "waiting": engine.waiting,
            "kv_used": engine.kv_used,
            "kv_total": engine.kv_total,
            "prefix_hit_tokens": engine.prefix_hit_tokens,
            "prefix_query_tokens": engine.prefix_query_tokens,
            "prefill_tokens": engine.prefill_tokens,
            "decoded_tokens": engine.decoded_tokens,
            "requests": self._requests.received,
            "preemptions": engine.preemptions,
            "token_lateness_ms": self._driver.lateness(),
            "hits": dict(self._behaviours.hits),
        }

    async def _listen(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()

        def make_request(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES)

        app = web.Server(self._handle, request_factory=make_request, handler_cancellation=True, access_log=None)
        try:
            listener = await loop.create_server(app, host, port, backlog=_BACKLOG)
        except OSError as error:
            raise self._cannot_listen(host, port, error) from None
        self._listeners.append(listener)
        self._apps.append(app)
        bound: int = listener.sockets[0].getsockname()[1]
        return bound

    async def _listen_for_control(self, port: int) -> int:
        try:
            return await self._control.start(port)
        except OSError as error:
            raise self._cannot_listen("127.0.0.1", port, error) from None

    def _cannot_listen(self, host: str, port: int, error: OSError) -> UserError:
        where = f"replica {self.config.name}: {host}:{port}"
        if error.errno == errno.EADDRINUSE:
            return UserError(f"{where} is in use by another process; choose another port, or 0 for any")
        return UserError(f"{where}: cannot listen: {error.strerror or error}")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        api = self._apis.get(path)
        if api is not None:
            if request.method == "POST":
                return await self._requests.serve(request, api, ready=self.ready)
            return _error(api, 405, f"Method {request.method} is not allowed; use POST.")
        page = self._pages.get(path)
        if page is None:
            known = self._apis["/v1/messages" if "anthropic-version" in request.headers else "/v1/chat/completions"]
            return _error(known, 404, f"There is nothing at {path}.")
        if request.method not in ("GET", "HEAD"):
            return _error(self._apis["/v1/chat/completions"], 405, f"Method {request.method} is not allowed; use GET.")
        return page()

    def _health(self) -> web.Response:
        return web.Response()

    def _health_ready(self) -> web.Response:
        if (self.ready and not self._draining) or self._behaviours.reports_healthy():
            return web.Response()
        if self._draining:
            return _error(self._apis["/v1/chat/completions"], 503, "draining")
        left_s = max(0.0, self._ready_at - time.monotonic())
        return _error(self._apis["/v1/chat/completions"], 503, f"{WARMING_UP} ({left_s:.1f} s left)")

    def _models(self) -> web.Response:
        # One response for both APIs: each client reads the fields that it knows.
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._created))
        model = self.config.model
        entry = {
            "id": model,
            "object": "model",
            "created": self._created,
            "owned_by": "brownout",
            "max_model_len": self.config.context_limit,
            "type": "model",
            "display_name": model,
            "created_at": created,
        }
        return _json({"object": "list", "data": [entry], "has_more": False, "first_id": model, "last_id": model})

    def _metrics_page(self) -> web.Response:
        return web.Response(body=self._behaviours.metrics(), headers={"Content-Type": _EXPOSITION})

    def _version(self) -> web.Response:
        return _json({"version": _package_version()})

    def _server_info(self) -> web.Response:
        hardware = self._hardware
        return _json(
            {
                "model_path": self.config.model,
                "served_model_name": self.config.model,
                "hardware": self.config.hardware,
                "max_total_num_tokens": hardware.kv_tokens,
                "max_running_requests": hardware.max_sequences,
                "chunked_prefill_size": hardware.step_tokens,
                "context_length": self.config.context_limit,
                "version": _package_version(),
            }
        )

    def _model_info(self) -> web.Response:
        return _json({"model_path": self.config.model, "is_generation": True, "tokenizer_path": ""})


async def serve(
    config: ReplicaConfig,
    token: str,
    stop: asyncio.Event,
    *,
    started: Callable[[ReplicaServer], None] | None = None,
) -> None:
    """Serve until `stop` is set, then close. Calls `started` with the server when it listens.

    Raises `UserError` for a port in use or an unknown hardware profile.
    """
    server = ReplicaServer(config, token)
    await server.start()
    # Objects made so far live as long as the process: exclude them from garbage collection.
    gc.collect()
    gc.freeze()
    try:
        if started is not None:
            started(server)
        await stop.wait()
    finally:
        await server.close()


def _json(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _error(api: Api, status: int, message: str) -> web.Response:
    return web.Response(status=status, body=api.error(status, message), content_type="application/json")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _package_version() -> str:
    try:
        return version("brownout")
    except PackageNotFoundError as error:
        raise TargetFailed("the brownout distribution is not installed") from error
