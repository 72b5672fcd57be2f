"""The middleware that protects the collector, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chaos.runner.guard import guard
from reports.shared.control_port import TOKEN_HEADER

TOKEN = "the-run's-token"


class Port:
    """A protected port that counts the calls of its handler."""

    def __init__(self) -> None:
        self.calls = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        return web.Response(text=await request.text())


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    one = Port()
    app = web.Application(middlewares=[guard(TOKEN)])
    app.router.add_route("*", "/thing", one.handle)
    async with TestServer(app) as server:
        one.url = str(server.make_url("/thing"))
        yield one


async def call(port: Port, method: str = "POST", **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, port.url, data=b"x", headers=headers) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "[::1]"])
async def test_a_request_from_loopback_with_the_token_is_accepted(port: Port, host: str) -> None:
    assert await call(port, Host=host, **{TOKEN_HEADER: TOKEN}) == (200, "x")


@pytest.mark.parametrize("token", [{}, {TOKEN_HEADER: ""}, {TOKEN_HEADER: TOKEN + "x"}, {"Authorization": TOKEN}])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_missing_or_wrong_token_is_rejected(port: Port, token: dict[str, str], method: str) -> None:
    status, text = await call(port, method, **token)
    assert status == 401
    assert TOKEN not in text
    assert port.calls == 0


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "127.0.0.1.example.org",
        "localhost.example.org:80",
        "127.0.0.1:80:80",
        "10.0.0.1",
        "[::1",
        "0.0.0.0",
    ],
)
async def test_another_host_is_rejected_even_with_the_token(port: Port, host: str) -> None:
    status, _ = await call(port, Host=host, **{TOKEN_HEADER: TOKEN})
    assert (status, port.calls) == (403, 0)


@pytest.mark.parametrize("origin", ["https://example.org", "http://localhost", "null", ""])
async def test_a_browser_page_is_rejected_even_with_the_token(port: Port, origin: str) -> None:
    status, _ = await call(port, Origin=origin, **{TOKEN_HEADER: TOKEN})
    assert (status, port.calls) == (403, 0)
