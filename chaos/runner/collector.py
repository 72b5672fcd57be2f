"""The embedded OTLP collector, and the ear for every process's counters.

What arrives is written as it came; decoding waits for the analysis. A copy of each trace request goes to the user's own
back-end, if one is named, through a bounded queue: a back-end that is down or slow loses copies (counted), never time.

    POST /v1/traces     OTLP/HTTP protobuf, gzip allowed; at most 20 MiB after decompression
    POST /v1/counters   docs/wire.md; answered with the word to the load generator
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
"""Requests waiting for the user's back-end; about 10 s of a busy run."""

PROTOBUF = "application/x-protobuf"


class Counters(msgspec.Struct):
    """One post of one process. `cpu_s` is cumulative seconds, `loop_lag_s` the worst since the last post."""

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
    """A `google.rpc.Status` by hand: field 1 the code (varint), field 2 the message. OTLP wants errors in this form."""
    text = message.encode()[:120]
    return bytes([0x08, code, 0x12, len(text)]) + text


@dataclass(slots=True)
class Copy:
    """Where copies of the spans go: an OTLP/HTTP traces endpoint of the user's, with its headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    lost: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Copy | None:
        """As the OpenTelemetry SDKs read it: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is, or
        OTEL_EXPORTER_OTLP_ENDPOINT with `/v1/traces` behind it; headers from OTEL_EXPORTER_OTLP_HEADERS."""
        url = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
        if not url and environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            url = environment["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"
        if not url:
            return None
        pairs = (pair.partition("=") for pair in environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","))
        return cls(url, {name.strip(): value.strip() for name, equals, value in pairs if equals})


class Collector:
    """Listens on a free loopback port; every request needs the run's token.

    `on_counters(counters)` is called for each post and makes the answer; `on_failure(error)` once if the record can
    no longer be written.
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
        """Begin to listen; `url` is known from then on."""
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
        """Stop listening. Copies still queued get `copies_within_s` to leave; the rest is counted as lost."""
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
        """Write one OTLP request, and queue its copy. Raises RecordFull."""
        self._spool.append(request)
        if self.copy is not None:
            try:
                self._copies.put_nowait(request)
            except asyncio.QueueFull:
                self.copy.lost += 1

    async def _traces(self, request: web.Request) -> web.Response:
        if request.content_type != PROTOBUF:
            return web.Response(
                status=415, body=_status(3, f"send {PROTOBUF}; JSON is not taken here"), content_type=PROTOBUF
            )
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, body=_status(3, "more than 20 MiB"), content_type=PROTOBUF)
        except (web.RequestPayloadError, web.HTTPException, ValueError) as error:
            return web.Response(status=400, body=_status(3, f"unreadable body: {error}"), content_type=PROTOBUF)
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
                    async with session.post(copy.url, data=request, headers=headers, allow_redirects=False) as answer:
                        if answer.status < 300:
                            copy.sent += 1
                        else:
                            copy.lost += 1
                except (aiohttp.ClientError, TimeoutError, ValueError):
                    copy.lost += 1
                finally:
                    self._copies.task_done()


class CollectorExporter(SpanExporter):
    """The runner's own spans go to its own collector, without a detour over HTTP."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def export(self, spans: Any) -> SpanExportResult:
        try:
            self._collector.take(encode(list(spans)))
        except RecordFull:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS
