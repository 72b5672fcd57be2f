"""What the owners of a bounded server decide: how a refusal looks, and when a connection ends."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from reports.shared.bounded_server import BoundedConnection, BoundedServer
from reports.shared.port_limits import PortLimits


async def test_an_invalid_head_is_refused_in_the_words_and_form_of_the_owner() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="never")

    def refuse(status: int, why: str) -> web.Response:
        return web.Response(status=status, text=f"mine: {why}")

    server = BoundedServer(answer, PortLimits(), refuse, field_bytes=10_000)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        for head, text in (
            (b"nonsense", b"mine: this is not"),
            (b"GET / HTTP/1.1\r\nX: " + b"a" * 12_000, b"10000 bytes"),
        ):
            reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
            writer.write(head + b"\r\n\r\n")
            async with asyncio.timeout(5):
                assert text in await reader.read()
            writer.close()
    finally:
        listener.close()
        await server.shutdown(0.1)
        server.end()


async def test_a_dropped_connection_is_reset_and_forgotten() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request.protocol, BoundedConnection)
        request.protocol.trust()
        request.protocol.drop()
        raise ConnectionResetError

    server = BoundedServer(answer, PortLimits(), lambda status, why: web.Response(status=status))
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                await reader.read()
            while len(server.peers):
                await asyncio.sleep(0.01)
        writer.close()
    finally:
        listener.close()
        await server.shutdown(0.1)
        server.end()
