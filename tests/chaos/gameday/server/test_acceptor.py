"""Accepting: TLS handshakes that never end, floods of connections, no file descriptor left."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from chaos.gameday.server.acceptor import listening
from reports.shared.errors import UserError
from reports.shared.port_limits import PortLimits
from tests.chaos.gameday.server.test_page_server import with_certificate
from tests.support.gameday_server import Browser, exercise, until


async def test_handshakes_that_never_end_are_bounded_in_number_and_time(tmp_path: Path) -> None:
    limits = PortLimits(request_s=1.0, idle_s=60.0, sweep_s=0.05, strangers=20, own=100)
    serving, trust = with_certificate(tmp_path, "127.0.0.1")
    async with exercise(serving, limits=limits, trust=trust) as site:
        held = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(60)]
        held[-1][1].write(b"\x16\x03\x01\x02\x00")
        await until(lambda: site.server.connections <= 20)
        assert (await Browser(site).get("/")).status == 200
        async with asyncio.timeout(20):
            for reader, _ in held:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
        await until(lambda: site.server.connections == 0)
        for _, writer in held:
            writer.close()


def test_a_port_of_another_process_is_named() -> None:
    with listening("127.0.0.1", 0) as first, pytest.raises(UserError, match=r"in use by process \d+ \("):
        listening("127.0.0.1", first.getsockname()[1])


def test_an_ipv6_address_is_possible() -> None:
    with listening("::1", 0) as listener:
        assert listener.family == socket.AF_INET6
