"""The embedded collector, over real HTTP."""

from __future__ import annotations

import asyncio
import gzip
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chaos.runner.collector import MAX_REQUEST_BYTES, Collector, Copy, Counters
from chaos.runner.record_writer import LineLog, RecordFull, SpanSpool
from reports.shared.control_port import TOKEN_HEADER

TOKEN = "secret"
PROTOBUF = {TOKEN_HEADER: TOKEN, "Content-Type": "application/x-protobuf"}


def otlp(name: str) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add().name = name
    message: bytes = request.SerializeToString()
    return message


@asynccontextmanager
async def collecting(
    folder: Path, copy: Copy | None = None
) -> AsyncIterator[tuple[Collector, list[Counters], list[RecordFull]]]:
    received: list[Counters] = []
    failures: list[RecordFull] = []

    def on_counters(counters: Counters) -> dict[str, object]:
        received.append(counters)
        return {"command": "drain"}

    spool = SpanSpool(folder / "spans")
    collector = Collector(spool, LineLog(folder / "gauges.jsonl"), TOKEN, on_counters, failures.append, copy)
    await collector.start()
    try:
        yield collector, received, failures
    finally:
        await collector.close(copies_within_s=0.2)


async def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status, await answer.read(), answer.content_type


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def written(folder: Path) -> list[bytes]:
    data = (folder / "spans" / "0000.otlp").read_bytes()
    requests = []
    while data:
        (length,) = struct.unpack(">I", data[:4])
        requests.append(data[4 : 4 + length])
        data = data[4 + length :]
    return requests


async def test_trace_requests_are_written_unchanged_and_in_order(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (collector, _, _):
        for name in ("a", "b"):
            status, body, content_type = await post(f"{collector.url}/v1/traces", otlp(name), PROTOBUF)
            assert (status, body, content_type) == (200, b"", "application/x-protobuf")
        assert written(tmp_path) == [otlp("a"), otlp("b")]


async def test_gzip_is_accepted_and_a_gzip_bomb_is_rejected(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (collector, _, _):
        headers = {**PROTOBUF, "Content-Encoding": "gzip"}
        assert (await post(f"{collector.url}/v1/traces", gzip.compress(otlp("a")), headers))[0] == 200
        bomb = gzip.compress(bytes(MAX_REQUEST_BYTES + 1))
        assert (await post(f"{collector.url}/v1/traces", bomb, headers))[0] == 413
        assert (await post(f"{collector.url}/v1/traces", b"no gzip", headers))[0] == 400
        assert written(tmp_path) == [otlp("a")]


async def test_json_is_rejected_with_a_status_message(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (collector, _, _):
        headers = {**PROTOBUF, "Content-Type": "application/json"}
        status, body, _ = await post(f"{collector.url}/v1/traces", b"{}", headers)
        assert status == 415
        assert b"application/x-protobuf" in body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**PROTOBUF, TOKEN_HEADER: "other"}, 401),
        ({"Content-Type": "application/x-protobuf"}, 401),
        ({**PROTOBUF, "Host": "evil.example"}, 403),
        ({**PROTOBUF, "Origin": "http://evil.example"}, 403),
    ],
)
async def test_requests_without_the_token_or_from_other_hosts_are_rejected(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with collecting(tmp_path) as (collector, _, _):
        for path in ("/v1/traces", "/v1/counters"):
            assert (await post(collector.url + path, otlp("a"), headers))[0] == status
        assert written(tmp_path) == []


async def test_counters_are_passed_on_written_and_the_response_has_the_command(tmp_path: Path) -> None:
    line = b'{"process":"tpu-0","incarnation":2,"kind":"replica","at":5,"data":{"running":3}}'
    headers = {TOKEN_HEADER: TOKEN, "Content-Type": "application/json"}
    async with collecting(tmp_path) as (collector, received, _):
        status, body, _ = await post(f"{collector.url}/v1/counters", line, headers)
        assert (status, body) == (200, b'{"command":"drain"}')
        assert (received[0].process, received[0].incarnation, received[0].data) == ("tpu-0", 2, {"running": 3})
        assert (await post(f"{collector.url}/v1/counters", b"garbage", headers))[0] == 400
    assert (tmp_path / "gauges.jsonl").read_bytes() == line + b"\n"


async def test_copies_of_spans_are_sent_to_the_back_end_of_the_user(tmp_path: Path) -> None:
    got: list[tuple[bytes, str | None]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((await request.read(), request.headers.get("x-key")))
        return web.Response()

    async with back_end(take) as url:
        copy = Copy.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=k1"})
        assert copy is not None
        async with collecting(tmp_path, copy) as (collector, _, _):
            await post(f"{collector.url}/v1/traces", otlp("a"), PROTOBUF)
            await until(lambda: copy.sent == 1)
    assert got == [(otlp("a"), "k1")]


async def test_a_back_end_that_never_responds_does_not_delay_the_collector(tmp_path: Path) -> None:
    forever = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await forever.wait()
        return web.Response()

    async with back_end(hang) as url:
        copy = Copy(f"{url}/v1/traces")
        async with collecting(tmp_path, copy) as (collector, _, _), asyncio.timeout(10):
            for _ in range(400):
                collector.take(otlp("a"))
            assert (await post(f"{collector.url}/v1/traces", otlp("b"), PROTOBUF))[0] == 200
        forever.set()
    assert len(written(tmp_path)) == 401
    assert copy.sent + copy.lost >= 400


async def test_copies_to_an_unavailable_back_end_are_lost_and_counted(tmp_path: Path) -> None:
    copy = Copy("http://127.0.0.1:9/v1/traces")
    async with collecting(tmp_path, copy) as (collector, _, _):
        await post(f"{collector.url}/v1/traces", otlp("a"), PROTOBUF)
        await until(lambda: copy.lost == 1)
    assert written(tmp_path) == [otlp("a")]


async def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (collector, _, failures):
        collector._spool._descriptor = os.open("/dev/full", os.O_RDWR)
        assert (await post(f"{collector.url}/v1/traces", otlp("a"), PROTOBUF))[0] == 507
        assert "the disk is full" in str(failures[0])


@asynccontextmanager
async def back_end(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/traces", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
