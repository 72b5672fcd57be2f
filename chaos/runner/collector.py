"""The embedded collector: receives the spans (OTLP) and counters of every process, and writes them to the record.

Requests are written as received, after a check of their outermost structure; the analysis decodes them. If the user
names a back-end of their own, each trace request is copied to it through a bounded queue: a slow or unavailable
back-end loses copies (counted), but does not delay the run. From `withhold` to `release`, copies tell no fault
(`chaos.runner.withheld_copies`).

    POST /v1/traces     OTLP/HTTP protobuf, gzip allowed; at most 20 MiB after decompression
    POST /v1/counters   docs/wire.md, at most 1 MiB; the response has the command for the load generator

Connections and requests are limited by `reports.shared.control_server`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from chaos.children.telemetry import encode
from chaos.runner.counters import Counters, decode_counters
from chaos.runner.record_writer import LineLog, RecordFull, SpanSpool
from chaos.runner.withheld_copies import Withholding
from reports.shared.control_server import ControlServer, Refused, decode_json, json_response, read_body
from reports.shared.port_limits import PortLimits

__all__ = ["Collector", "CollectorExporter", "Copy", "Counters"]

MAX_REQUEST_BYTES = 20 * 1024 * 1024
MAX_COUNTERS_BYTES = 1024 * 1024
COPY_QUEUE = 256
"""Maximum of requests that wait for the user's back-end; about 10 s of a busy run."""

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def _status(code: int, message: str) -> bytes:
    """A `google.rpc.Status`, as OTLP requires for errors: field 1 is the code (varint), field 2 the message."""
    text = message.encode()[:120]
    return bytes([0x08, code, 0x12, len(text)]) + text


def _refused(status: int, why: str) -> Refused:
    """A refusal of spans: INVALID_ARGUMENT (3), as protobuf."""
    return Refused(status, why, response=web.Response(status=status, body=_status(3, why), content_type=PROTOBUF))


def _is_framed(message: bytes) -> bool:
    """Whether a message consists of whole fields 1 of wire type 2, as an `ExportTraceServiceRequest` does.

    Detects bodies of another format and incomplete ones. Decoding each would double the collector's work.
    """
    at = 0
    while at < len(message):
        if message[at] != 0x0A:
            return False
        at += 1
        length = shift = 0
        while True:
            if at >= len(message) or shift > 28:
                return False
            byte = message[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at += length
    return at == len(message)


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
        limits: PortLimits | None = None,
    ) -> None:
        self._spool = spool
        self._gauges = gauges
        self._on_counters = on_counters
        self._on_failure = on_failure
        self.copy = copy
        self._copies: asyncio.Queue[bytes] = asyncio.Queue(COPY_QUEUE)
        self._copier: asyncio.Task[None] | None = None
        self._withholding = Withholding()
        self._server = ControlServer(self._route, token, limits)
        self._routes: Final = {"/v1/traces": self._traces, "/v1/counters": self._counters}
        self.url = ""

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return self._server.connections

    async def start(self) -> None:
        """Start listening, and set `url`."""
        self.url = f"http://127.0.0.1:{await self._server.start()}"
        if self.copy is not None:
            self._copier = asyncio.create_task(self._send_copies(self.copy))

    async def close(self, copies_within_s: float = 2.0) -> None:
        """Stop listening. Queued copies are sent for at most `copies_within_s` seconds; the rest counts as lost.

        Spans of faults that are still held back are not sent.
        """
        await self._server.close(within_s=1.0)
        if self._copier is not None and self.copy is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(copies_within_s):
                    await self._copies.join()
            self._copier.cancel()
            await asyncio.gather(self._copier, return_exceptions=True)
            self._copier = None
            self.copy.lost += self._copies.qsize()

    def withhold(self) -> None:
        """From now on, copies tell no fault, also those that are queued. The record stays whole."""
        self._withholding.withhold()

    async def release(self, within_s: float = 2.0) -> None:
        """From now on, copies are whole. Sends the spans of faults that were held back, for at most `within_s` seconds.

        Hit events and attributes that were removed are in the record only. Idempotent.
        """
        held = self._withholding.release()
        lost, self._withholding.lost = self._withholding.lost, 0
        if self._copier is None or self.copy is None:
            return
        self.copy.lost += lost
        if not held:
            return
        try:
            async with asyncio.timeout(within_s):
                await self._copies.put(held)
        except TimeoutError:
            self.copy.lost += 1
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._copies.join()

    def take(self, request: bytes) -> None:
        """Write one OTLP request and queue its copy. Raises RecordFull."""
        self._spool.append(request)
        if self.copy is not None:
            try:
                self._copies.put_nowait(request)
            except asyncio.QueueFull:
                self.copy.lost += 1

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self._routes.get(request.rel_url.raw_path)
        if answer is None:
            raise Refused(404, f"there are only {' and '.join(self._routes)}")
        if request.method != "POST":
            raise Refused(405, f"{request.method} is not allowed here; use POST", {"Allow": "POST"})
        return await answer(request)

    async def _traces(self, request: web.BaseRequest) -> web.Response:
        try:
            body = await read_body(request, MAX_REQUEST_BYTES, PROTOBUF)
        except Refused as error:
            raise _refused(error.status, error.why) from None
        if not _is_framed(body):
            raise _refused(400, "the body is not an ExportTraceServiceRequest, or is incomplete")
        try:
            self.take(body)
        except RecordFull as error:
            self._on_failure(error)
            return web.Response(status=507, body=_status(8, "the record cannot be written"), content_type=PROTOBUF)
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=PROTOBUF)

    async def _counters(self, request: web.BaseRequest) -> web.Response:
        body = await read_body(request, MAX_COUNTERS_BYTES, JSON)
        counters: Counters = decode_json(body, decode_counters)
        try:
            self._gauges.append(body.replace(b"\n", b" "))
        except RecordFull as error:
            self._on_failure(error)
        return json_response(200, self._on_counters(counters))

    async def _send_copies(self, copy: Copy) -> None:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                request = self._withholding.strip(await self._copies.get())
                if not request:
                    self._copies.task_done()
                    continue
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
