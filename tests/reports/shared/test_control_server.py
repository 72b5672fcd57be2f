"""The server of control ports, over real sockets: slow senders, numbers of connections, sizes, refusals."""

from __future__ import annotations

import asyncio
import gzip
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from reports.shared.bounded_server import BACKLOG
from reports.shared.control_port import TOKEN_HEADER
from reports.shared.control_server import ControlServer, Refused, decode_json, json_response, read_body
from reports.shared.port_limits import PortLimits
from tests.support.paths import ROOT
from tests.support.port_fuzz import TOKEN, LoopThread, check_answer, exchange, faults_logged

SHORT = PortLimits(request_s=0.4, idle_s=60.0, sweep_s=0.05)
DROPPED_WITHIN_S = 20.0
"""For a limit of 0.4 s on a busy machine."""
LIMIT = 10_000
HEAD = (
    f"PUT /thing HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{TOKEN_HEADER}: {TOKEN}\r\n".encode()
)
COMPLETE = HEAD + b"Content-Length: 2\r\n\r\n{}"


FEW_DESCRIPTORS = 450
"""Fewer than the strangers of the test; enough for `PortLimits.strangers`, `BACKLOG`, and a process's own."""

SERVE = f"""
import asyncio, resource, sys, uvloop
from reports.shared.control_server import ControlServer, json_response
resource.setrlimit(resource.RLIMIT_NOFILE, ({FEW_DESCRIPTORS}, {FEW_DESCRIPTORS}))
async def handle(request):
    return json_response(200, "ok")
async def main():
    print(await ControlServer(handle, "{TOKEN}").start(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
uvloop.run(main())
"""


class Port:
    """A server that counts the bodies that its handler has read."""

    def __init__(self, limits: PortLimits) -> None:
        self.bodies: list[bytes] = []
        self.server = ControlServer(self.handle, TOKEN, limits)
        self.number = 0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/defect":
            raise LookupError("a defect")
        body = await read_body(request, LIMIT, "application/json")
        self.bodies.append(body)
        if request.path == "/large":
            return json_response(200, "a" * 30_000)
        return json_response(200, {"read": len(body)})

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)


@asynccontextmanager
async def served(limits: PortLimits = SHORT) -> AsyncIterator[Port]:
    port = Port(limits)
    port.number = await port.server.start()
    try:
        with faults_logged() as logged:
            yield port
        assert logged == []
    finally:
        await port.server.close()


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def ask(port: Port, request: bytes) -> bytes:
    """Everything that comes back to a last request on a connection."""
    request = request.replace(b"Host: localhost\r\n", b"Host: localhost\r\nConnection: close\r\n")
    reader, writer = await port.connect()
    writer.write(request)
    try:
        async with asyncio.timeout(DROPPED_WITHIN_S):
            return await reader.read()
    finally:
        writer.close()


async def post(port: Port, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One whole request on a connection that stays open."""
    writer.write(COMPLETE)
    async with asyncio.timeout(DROPPED_WITHIN_S):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(len(b'{"read":2}'))


@pytest.mark.parametrize(
    "beginning",
    [
        b"PU",
        HEAD,
        HEAD + b"Content-Length: 50\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"Content-Length: 50\r\nExpect: 100-continue\r\n\r\n",
        b"\r\n",
    ],
    ids=["half a line", "half a head", "half a body", "half a chunk", "expecting", "empty lines"],
)
@pytest.mark.parametrize("own", [False, True], ids=["stranger", "own"])
@pytest.mark.parametrize("drip", [b"", b"x"], ids=["silent", "dripping"])
async def test_a_request_that_is_not_completed_is_dropped(beginning: bytes, own: bool, drip: bytes) -> None:
    async with served() as port:
        reader, writer = await port.connect()
        if own:
            await post(port, reader, writer)
        clock = asyncio.get_running_loop().time
        began = clock()
        writer.write(beginning)
        while not reader.at_eof() and clock() < began + DROPPED_WITHIN_S:
            try:
                await asyncio.wait_for(reader.read(1024), 0.05)
            except TimeoutError:
                if not writer.is_closing():
                    writer.write(drip)
            except ConnectionError:
                break
        assert clock() - began < DROPPED_WITHIN_S
        await until(lambda: port.server.connections == 0)
        assert port.bodies == ([b"{}"] if own else [])
        writer.close()


async def test_a_stranger_that_sends_nothing_is_dropped() -> None:
    async with served() as port:
        assert await ask(port, b"") == b""


async def test_hundreds_of_slow_senders_are_dropped_while_own_processes_post() -> None:
    limits = PortLimits(request_s=1.0, sweep_s=0.05, strangers=150)
    async with served(limits) as port:
        strangers = [await port.connect() for _ in range(300)]
        for number, (_, writer) in enumerate(strangers):
            writer.write((b"", b"PUT /th", HEAD)[number % 3])
        assert port.server.connections <= limits.strangers + 1
        for _ in range(20):
            await post(port, *(own := await port.connect()))
            own[1].close()
        await until(lambda: port.server.connections == 0)
        for _, writer in strangers:
            writer.close()


async def test_an_own_connection_survives_however_many_strangers_come() -> None:
    async with served(PortLimits(strangers=5, sweep_s=0.05)) as port:
        own = await port.connect()
        await post(port, *own)
        strangers = []
        for _ in range(50):
            strangers.append(await port.connect())
            await post(port, *own)
            assert port.server.connections <= 7
        for _, writer in [own, *strangers]:
            writer.close()


async def test_too_many_own_connections_drop_the_one_idle_for_longest() -> None:
    async with served(PortLimits(own=3)) as port:
        connections = []
        for _ in range(5):
            connections.append(await port.connect())
            await post(port, *connections[-1])
            assert port.server.connections <= 3
        async with asyncio.timeout(5):
            assert [await reader.read() for reader, _ in connections[:2]] == [b"", b""]
        await post(port, *connections[-1])
        for _, writer in connections:
            writer.close()


async def test_an_idle_own_connection_is_kept_and_dropped_after_the_idle_limit() -> None:
    async with served(PortLimits(request_s=0.1, idle_s=0.6, sweep_s=0.05)) as port:
        reader, writer = await port.connect()
        await post(port, reader, writer)
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert asyncio.get_running_loop().time() - began > 0.4
        writer.close()


async def test_a_peer_that_sends_its_end_or_resets_is_forgotten_at_once() -> None:
    async with served(PortLimits()) as port:
        reader, writer = await port.connect()
        writer.write(HEAD)
        writer.write_eof()
        async with asyncio.timeout(2):
            assert await reader.read() == b""
        for beginning in (HEAD, HEAD + b"Content-Length: 50\r\n\r\n{"):
            _, other = await port.connect()
            other.write(beginning)
            await until(lambda: port.server.connections == 1)
            other.transport.abort()
            await until(lambda: port.server.connections == 0)
        writer.close()


async def test_a_peer_that_never_reads_its_answers_is_dropped() -> None:
    async with served() as port:
        peer = socket.create_connection(("127.0.0.1", port.number))
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        peer.setblocking(False)
        loop = asyncio.get_running_loop()

        async def pour() -> None:
            while True:
                await loop.sock_sendall(peer, COMPLETE.replace(b"/thing", b"/large") * 50)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(pour(), DROPPED_WITHIN_S)
        peer.close()


async def test_the_kernel_looks_for_peers_that_vanished() -> None:
    async with served() as port:
        _, writer = await port.connect()
        await until(lambda: port.server.connections == 1)
        assert port.server._server is not None
        (connection,) = port.server._server.connections
        assert connection.transport is not None
        end = connection.transport.get_extra_info("socket")
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, interval, count = (
            end.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert idle + interval * count <= 30
        writer.close()


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (HEAD.replace(TOKEN.encode(), b"wrong"), 401),
        (HEAD.replace(TOKEN_HEADER.encode(), b"Authorization"), 401),
        (HEAD.replace(b"localhost", b"evil.example"), 403),
        (HEAD + b"Origin: http://localhost\r\n", 403),
        (HEAD.replace(b"json", b"xml"), 415),
        (HEAD + b"Content-Encoding: snappy\r\n", 415),
        (HEAD + b"Content-Encoding: gzip, gzip\r\n", 415),
        (HEAD + b"Expect: a wonder\r\n", 417),
    ],
)
async def test_a_request_is_refused_before_its_body_is_sent(request_head: bytes, status: int) -> None:
    async with served(PortLimits()) as port:
        answer = await ask(port, request_head + b"Content-Length: 900\r\nConnection: close\r\n\r\n")
        assert check_answer(answer) == [status]
        assert port.bodies == []


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (HEAD.replace(b"/thing", b"/" + b"a" * 3000) + b"\r\n", 414),
        (HEAD + b"X-Long: " + b"a" * 5000 + b"\r\n\r\n", 431),
        (HEAD + b"X-Many: a\r\n" * 80 + b"\r\n", 431),
        (HEAD + b"Content-Length: %d\r\n\r\n" % (LIMIT + 1), 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n%b\r\n" % (b"a" * 4096) * 4 + b"0\r\n\r\n", 413),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"nonsense\r\n\r\n", 400),
    ],
)
async def test_what_is_too_large_or_invalid_is_refused_with_its_status(request_bytes: bytes, status: int) -> None:
    async with served(PortLimits()) as port:
        assert check_answer(await ask(port, request_bytes)) == [status]
        assert port.bodies == []


async def test_a_decompression_bomb_is_refused_without_being_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000), 9)
    async with served(PortLimits()) as port:
        head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        assert check_answer(await ask(port, head + bomb)) == [413]


async def test_a_client_that_waits_for_permission_to_send_its_body_gets_it() -> None:
    async with (
        served(PortLimits()) as port,
        aiohttp.ClientSession(headers={TOKEN_HEADER: TOKEN}) as session,
        session.put(f"http://127.0.0.1:{port.number}/thing", json={"a": 1}, expect100=True) as answer,
    ):
        assert (answer.status, await answer.json()) == (200, {"read": 8})


async def test_a_defect_of_a_handler_is_answered_by_500_and_logged() -> None:
    port = Port(SHORT)
    port.number = await port.server.start()
    with faults_logged() as logged:
        answer = await ask(port, COMPLETE.replace(b"/thing", b"/defect"))
    assert b" 500 " in answer
    assert "a defect" in logged[0]
    await port.server.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b"NaN", b'{"a": "\\ud800"}'])
def test_an_invalid_json_body_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        decode_json(body, msgspec.json.Decoder(dict[str, int]).decode)
    assert refused.value.status == 400


async def test_closing_ends_idle_connections_at_once_and_twice_is_harmless() -> None:
    async with served(PortLimits()) as port:
        reader, writer = await port.connect()
        await post(port, reader, writer)
        _, silent = await port.connect()
        async with asyncio.timeout(2):
            await port.server.close()
            await port.server.close()
            assert await reader.read() == b""
        writer.close()
        silent.close()


def test_the_limits_hold_on_the_event_loop_of_the_processes() -> None:
    limits = PortLimits(request_s=1.0, sweep_s=0.05, strangers=150)
    port = Port(limits)
    with LoopThread() as thread, faults_logged() as logged:
        number = thread.run(port.server.start())
        strangers = [socket.create_connection(("127.0.0.1", number), timeout=20) for _ in range(400)]
        for index, stranger in enumerate(strangers):
            with suppress(ConnectionError):
                stranger.sendall((b"GE", HEAD, HEAD + b"Content-Length: 9\r\n\r\n{")[index % 3])
        assert thread.call(lambda: port.server.connections) <= limits.strangers + 150
        assert check_answer(exchange(number, COMPLETE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))) == [200]
        for stranger in strangers:
            with suppress(ConnectionError):
                assert stranger.recv(1000) == b""
            stranger.close()
        assert thread.call(lambda: port.server.connections) == 0
        thread.run(port.server.close())
    assert logged == []


def test_strangers_never_use_up_the_file_descriptors() -> None:
    command = [sys.executable, "-c", SERVE]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        strangers = [socket.create_connection(("127.0.0.1", number), timeout=20) for _ in range(FEW_DESCRIPTORS + 250)]
        descriptors = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        assert check_answer(exchange(number, COMPLETE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))) == [200]
        for stranger in strangers:
            stranger.close()
        _, errors = process.communicate(timeout=30)
    assert PortLimits().strangers <= descriptors < FEW_DESCRIPTORS
    assert errors == ""


def test_an_accepted_connection_is_read_before_newer_ones_can_drop_it() -> None:
    assert PortLimits().strangers > BACKLOG
