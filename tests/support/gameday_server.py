"""A server of game day pages on a free port, with a room in memory, and browsers that are as small as possible."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chaos.gameday.core.roles import Role
from chaos.gameday.server.page_server import PAGE_LIMITS, PageServer
from chaos.gameday.server.pages import Pages
from chaos.gameday.server.serving import Serving
from reports.shared.port_limits import PortLimits
from tests.support.gameday_room import FakeRoom

__all__ = ["TINY_PAGES", "Answer", "Browser", "Event", "Site", "exchange", "exercise", "until"]

_SHELLS = ("index", "wall", "controls", "respond", "scribe")
TINY_PAGES = Pages(
    {
        **{f"{name}.html": f"<!doctype html>{name}".encode() for name in _SHELLS},
        "app.js": b"export {};",
        "look.css": b"body{}",
        "__init__.py": b"secret",
    }
)  # fmt: skip
WITHIN_S = 20.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    kind: str
    id: str
    data: Any


@dataclass
class Browser:
    """What one browser sends: its cookie, and the headers of a request of the page itself."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)
    id: str = ""
    """The person's id, from the stream's first event or the room."""

    def headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        cookie = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        return {**cookie, **(more or {})}

    async def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        async with self.site.client.request(method, self.site.url + path, headers=self.headers(headers)) as got:
            return Answer(got.status, got.headers, await got.text())

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual = {"Origin": self.site.url, "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        merged = {name: value for name, value in {**usual, **(headers or {})}.items() if value}
        async with self.site.client.post(self.site.url + path, data=sent, headers=self.headers(merged)) as got:
            for cookie in got.headers.getall("Set-Cookie", []):
                name, _, rest = cookie.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            return Answer(got.status, got.headers, await got.text())

    async def act(self, key: str, do: str, **arguments: Any) -> Answer:
        return await self.post("/api/action", {"key": key, "do": do, **arguments})

    @asynccontextmanager
    async def stream(self, headers: Mapping[str, str] | None = None) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of /api/stream."""
        async with self.site.client.get(self.site.url + "/api/stream", headers=self.headers(headers)) as got:
            assert got.status == 200, await got.text()
            assert got.headers["Content-Type"] == "text/event-stream"
            yield _events(got)


async def _events(got: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    buffered = b""
    async for chunk in got.content.iter_any():
        buffered += chunk
        while b"\n" in buffered:
            line, _, buffered = buffered.partition(b"\n")
            if line:
                name, _, value = line.decode().partition(": ")
                fields[name] = value
            elif fields:
                yield Event(fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"]))
                fields = {}


@dataclass
class Site:
    """The server, its room, and a client for all browsers."""

    server: PageServer
    room: FakeRoom
    client: aiohttp.ClientSession
    url: str

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    def token(self, role: Role) -> str:
        return self.server.links[role].partition("#t=")[2]

    async def enter(self, role: Role, name: str = "Ana") -> Browser:
        browser = Browser(self)
        answer = await browser.post("/api/enter", {"token": self.token(role), "name": name})
        assert answer.status == 200, answer.text
        browser.id = next(p.id for p in self.room.people.values() if p.name == answer.json["name"])
        return browser


@asynccontextmanager
async def exercise(
    serving: Serving | None = None,
    *,
    room: FakeRoom | None = None,
    limits: PortLimits = PAGE_LIMITS,
    tick_s: float = 0.05,
    drain_s: float = 30.0,
    trust: ssl.SSLContext | None = None,
    url: str = "",
) -> AsyncIterator[Site]:
    """A game day that is being served. `url`: how browsers reach it, where it is not the server's own."""
    room = room or FakeRoom()
    server = PageServer(room, serving or Serving(), TINY_PAGES, limits=limits, tick_s=tick_s, drain_s=drain_s)
    await server.start()
    connector = aiohttp.TCPConnector(ssl=trust if trust is not None else True, force_close=False, limit=0)
    try:
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:
            yield Site(server, room, client, url or server.url)
    finally:
        await server.close()


async def exchange(port: int, request: bytes) -> bytes:
    """Send bytes, and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(WITHIN_S):
            return await reader.read()
    finally:
        writer.close()


async def until(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)
