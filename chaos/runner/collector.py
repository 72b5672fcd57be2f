"""The embedded collector: receives the spans (OTLP) and counters of every process, and writes them to the record.

Requests are written as received; the analysis decodes them. If the user names a back-end of their own, each trace
request is copied to it through a bounded queue: a slow or unavailable back-end loses copies (counted), but does not
delay the run.

    POST /v1/traces     OTLP/HTTP protobuf, gzip allowed; at most 20 MiB after decompression
    POST /v1/counters   docs/wire.md; the response has the command for the load generator
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from chaos.children.telemetry import encode
from chaos.runner.guard import guard
from chaos.runner.record_writer import LineLog, RecordFull, SpanSpool

__all__ = ["Collector", "CollectorExporter", "Copy", "Counters"]

MAX_REQUEST_BYTES = 20 * 1024 * 1024
COPY_QUEUE = 256
"""Maximum of requests that wait for the user's back-end; about 10 s of a busy run."""

PROTOBUF = "application/x-protobuf"


class Counters(msgspec.Struct):
    """One post of a process. `cpu_s`: cumulative seconds. `loop_lag_s`: the maximum since the previous post."""

    process: str
    incarnation: int
    kind: str
    at: int
    final: bool = False
    spans: dict[str, int] = {}
    cpu_s: float = 0.0
    loop_lag_s: float = 0.0
    loop_ticks: dict[str, int] = {}
    data: dict[str, Any] = {}


def _status(code: int, message: str) -> bytes:
    """A `google.rpc.Status`, as OTLP requires for errors: field 1 is the code (varint), field 2 the message."""
    text = message.encode()[:120]
    return bytes([0x08, code, 0x12, len(text)]) + text


@dataclass(slots=True)
class Copy:
    """The OTLP/HTTP traces endpoint of the user that gets copies of the spans; numbers of copies sent and lost."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    lost: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Copy | None:
        """From the variables of the OpenTelemetry SDKs. None: no endpoint is set.

        The URL is OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or OTEL_EXPORTER_OTLP_ENDPOINT with `/v1/traces` appended. The
        headers are those of OTEL_EXPORTER_OTLP_HEADERS.
        """
        url = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
        if not url and environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            url = environment["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"
        if not url:
            return None
        pairs = (pair.partition("=") for pair in environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","))
        return cls(url, {name.strip(): value.strip() for name, equals, value in pairs if equals})


class Collector:
    """An HTTP server on a free loopback port. Every request needs the run's token.

    `on_counters(counters)` is called for each post of counters and returns the response. `on_failure(error)` is called
    if the record cannot be written.
    """

    def __init__(
        self,
        spool: SpanSpool,
        gauges: LineLog,
        token: str,
        on_counters: Callable[[Counters], Mapping[str, object]],
        on_failure: Callable[[RecordFull], None],
        copy: Copy | None = None,
    ) -> None:
        self._spool = spool
        self._gauges = gauges
        self._token = token
        self._on_counters = on_counters
        self._on_failure = on_failure
        self.copy = copy
        self._copies: asyncio.Queue[bytes] = asyncio.Queue(COPY_QUEUE)
        self._copier: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._decoder = msgspec.json.Decoder(Counters)
        self.url = ""

    async def start(self) -> None:
        """Start listening, and set `url`."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[guard(self._token)])
        app.router.add_post("/v1/traces", self._traces)
        app.router.add_post("/v1/counters", self._counters)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=600)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=256)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        if self.copy is not None:
            self._copier = asyncio.create_task(self._send_copies(self.copy))

    async def close(self, copies_within_s: float = 2.0) -> None:
        """Stop listening. Queued copies are sent for at most `copies_within_s` seconds; the rest counts as lost."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._copier is not None and self.copy is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._copies.join(), copies_within_s)
            self._copier.cancel()
            await asyncio.gather(self._copier, return_exceptions=True)
            self._copier = None
            self.copy.lost += self._copies.qsize()

    def take(self, request: bytes) -> None:
        """Write one OTLP request and queue its copy. Raises RecordFull."""
        self._spool.append(request)
        if self.copy is not None:
            try:
                self._copies.put_nowait(request)
            except asyncio.QueueFull:
                self.copy.lost += 1

    async def _traces(self, request: web.Request) -> web.Response:
        if request.content_type != PROTOBUF:
            return web.Response(
                status=415, body=_status(3, f"send {PROTOBUF}: JSON is not supported"), content_type=PROTOBUF
            )
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, body=_status(3, "the body is larger than 20 MiB"), content_type=PROTOBUF)
        except (web.RequestPayloadError, web.HTTPException, ValueError) as error:
            return web.Response(status=400, body=_status(3, f"invalid body: {error}"), content_type=PROTOBUF)
        try:
            self.take(body)
        except RecordFull as error:
            self._on_failure(error)
            return web.Response(status=507, body=_status(8, "the record cannot be written"), content_type=PROTOBUF)
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=PROTOBUF)

    async def _counters(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            counters = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            return web.json_response({"error": str(error)}, status=400)
        try:
            self._gauges.append(body.replace(b"\n", b" "))
        except RecordFull as error:
            self._on_failure(error)
        return web.json_response(self._on_counters(counters))

    async def _send_copies(self, copy: Copy) -> None:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                request = await self._copies.get()
                headers = {**copy.headers, "Content-Type": PROTOBUF}
                try:
                    async with session.post(copy.url, data=request, headers=headers, allow_redirects=False) as reply:
                        if reply.status < 300:
                            copy.sent += 1
                        else:
                            copy.lost += 1
                except (aiohttp.ClientError, TimeoutError, ValueError):
                    copy.lost += 1
                finally:
                    self._copies.task_done()


class CollectorExporter(SpanExporter):
    """Passes the runner's own spans to its collector, without HTTP."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def export(self, spans: Any) -> SpanExportResult:
        try:
            self._collector.take(encode(list(spans)))
        except RecordFull:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS
