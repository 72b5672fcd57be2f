"""The line that a replica writes as a request begins: it outlives the process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from opentelemetry.sdk.trace import TracerProvider

from reports.shared.tokens import Marker
from targets.replica.api.conversation import Finish, PlannedAnswer
from targets.replica.server.request_log import RequestLog
from tests.support.paths import ROOT
from tests.support.replica_harness import HARDWARE, MODEL, chat, marked, post, running, until

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def answer(marker: Marker | None = None, offset: int = 0) -> PlannedAnswer:
    return PlannedAnswer("key", marker, "prompt", 200, "", offset, 10, 0, None, Finish.STOP)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def begun(path: Path, **headers: str) -> dict[str, Any]:
    log = RequestLog(str(path))
    log.begin(5, headers, None, answer(Marker("s1", "sub-1", 4), offset=3), "m" * 500)
    log.close()
    (line,) = lines(path)
    return line


def test_a_line_has_time_marker_tokens_and_trace(tmp_path: Path) -> None:
    assert begun(tmp_path / "log", traceparent=PARENT) == {
        "at": 5,
        "prompt_tokens": 200,
        "offset": 3,
        "trace": TRACE,
        "parent": SPAN,
        "session": "s1",
        "agent": "sub-1",
        "turn": 4,
        "model": "m" * 100,
    }
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "garbage",
        "a-b-c-d",
        "00-00-00-00-00-00",
        PARENT.upper(),
        f"00-{TRACE}-{SPAN}",
        f"{PARENT}\n",
        f"00-{TRACE[:-1]}\udcff-{SPAN}-01",
        "-" * 8000,
    ],
    ids=lambda text: text[:12].encode(errors="replace"),
)
def test_a_trace_context_that_is_none_is_left_out(tmp_path: Path, traceparent: str) -> None:
    line = begun(tmp_path / "log", traceparent=traceparent)
    assert "trace" not in line
    assert "parent" not in line


def test_the_span_of_the_request_is_in_its_line(tmp_path: Path) -> None:
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("request")
    log = RequestLog(str(tmp_path / "log"))
    log.begin(5, {}, span, answer())
    (line,) = lines(tmp_path / "log")
    assert line == {"at": 5, "prompt_tokens": 200, "offset": 0, "span": f"{span.get_span_context().span_id:016x}"}


def test_two_writers_leave_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def write(name: int) -> None:
        log = RequestLog(str(path))
        for turn in range(500):
            log.begin(name, {}, None, answer(Marker("s" * 200, "main", turn)))
        log.close()

    writers = [threading.Thread(target=write, args=(name,)) for name in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for name in (1, 2):
        assert [line["turn"] for line in lines(path) if line["at"] == name] == list(range(500))


def test_half_a_line_on_a_full_disk_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, write = RequestLog(str(tmp_path / "log")), os.write
    log.begin(1, {}, None, answer())
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:10]))
    log.begin(2, {}, None, answer())
    monkeypatch.undo()
    log.begin(3, {}, None, answer())
    assert [line["at"] for line in lines(tmp_path / "log")] == [1, 3]


def test_a_log_is_closed_more_than_once_and_then_writes_nothing(tmp_path: Path) -> None:
    log = RequestLog(str(tmp_path / "log"))
    log.close()
    log.close()
    log.begin(1, {}, None, answer())
    assert lines(tmp_path / "log") == []


@pytest.mark.parametrize("path", ["", "{tmp}/none/log", "{tmp}"])
async def test_a_request_is_served_although_its_line_cannot_be_written(tmp_path: Path, path: str) -> None:
    async with running(request_log=path.format(tmp=tmp_path)) as replica:
        status, _ = await post(replica, chat(marked("x"), max_tokens=2))
    assert status == 200


async def test_a_request_is_served_whatever_a_gateway_sends_as_trace_context(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in an otherwise valid header."""
    async with running(request_log=str(tmp_path / "log")) as replica:
        body = json.dumps(chat(marked("x"), max_tokens=2)).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += b"traceparent: 00-\xff-\xfe-01\r\nConnection: close\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(replica.url.rpartition(":")[2]))
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        got = await reader.read()
        writer.close()
    assert got.startswith(b"HTTP/1.1 200")
    assert [line["session"] for line in lines(tmp_path / "log")] == ["s1"]


async def test_only_requests_that_reach_the_engine_are_logged(tmp_path: Path) -> None:
    async with running(request_log=str(tmp_path / "log")) as replica:
        assert (await post(replica, {"model": MODEL, "messages": "no list"}))[0] == 400
        assert (await post(replica, chat(marked("x", turn=7), max_tokens=2)))[0] == 200
    assert [line["turn"] for line in lines(tmp_path / "log")] == [7]


async def test_the_line_is_there_although_the_process_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = f"""
import asyncio
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.server import ReplicaServer

async def main():
    config = ReplicaConfig(name="gpu-0", pool="gpu", cloud="aws", model={MODEL!r}, hardware={HARDWARE!r},
                           request_log={str(log)!r})
    server = ReplicaServer(config, "token", tracer=None)
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session:
            asking = asyncio.create_task(
                session.post(f"{url}/v1/chat/completions", json=chat(marked("x"), max_tokens=50_000))
            )
            await until(lambda: log.exists() and log.read_text().endswith("\n"), "the line is written")
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await asyncio.gather(asking, return_exceptions=True)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert [line["session"] for line in lines(log)] == ["s1"]
