"""Hostile requests, as bytes over a real socket: other sites, sizes, forms, slowness, methods, paths."""

from __future__ import annotations

import asyncio
import contextlib
import resource

import pytest

from chaos.gameday.core.roles import Role
from reports.shared.port_limits import PortLimits
from tests.support.gameday_server import Browser, Site, exchange, exercise, until

KEY = "0d9b4f1e-8c55-4c0e-9d6b-0d0d0d0d0d01"
SHORT = PortLimits(request_s=0.5, idle_s=60.0, sweep_s=0.05, strangers=256, own=512)
NOTE = {"key": KEY, "do": "note", "text": "x"}


def head(site: Site, browser: Browser, more: bytes = b"", path: str = "/api/action") -> bytes:
    host = site.url.partition("://")[2]
    cookie = browser.headers().get("Cookie", "")
    lines = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {site.url}\r\nContent-Type: application/json\r\n"
    return (lines + (f"Cookie: {cookie}\r\n" if cookie else "")).encode() + more


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1."), answer
    assert b"Content-Security-Policy" in answer
    return int(answer[9:12])


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Host": "evil.example"}, "another name"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "another name"),
        ({"Origin": "http://evil.example"}, "other sites"),
        ({"Origin": "null"}, "other sites"),
        ({"Origin": ""}, "needs the header Origin"),
        ({"Sec-Fetch-Site": "cross-site"}, "other sites"),
        ({"Sec-Fetch-Site": "same-site"}, "other sites"),
        ({"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"}, "another name"),
    ],
)
async def test_a_request_of_another_site_is_refused_also_with_the_cookie(headers: dict[str, str], why: str) -> None:
    async with exercise() as site:
        browser = await site.enter(Role.GAMEMASTER)
        for path, body in (("/api/action", {"key": KEY, "do": "abort"}), ("/api/leave", {})):
            answer = await browser.post(path, body, headers)
            assert answer.status == 403
            assert why in answer.json["error"]
        token = {"token": site.token(Role.GAMEMASTER), "name": "Eve"}
        assert (await Browser(site).post("/api/enter", token, headers)).status == 403
        assert site.room.acts == []
        assert len(site.room.people) == 1


async def test_a_page_of_another_site_reads_nothing_by_get() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        for headers in ({"Origin": "http://localhost:3000"}, {"Sec-Fetch-Site": "same-site"}, {"Host": "evil.example"}):
            for path in ("/api/state", "/api/stream", "/review/postmortem.html"):
                answer = await browser.get(path, headers)
                assert answer.status == 403
                assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_refused(method: str) -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        for path in ("/", "/api/state", "/api/action"):
            answer = await browser.get(path, {"Origin": site.url}, method)
            assert answer.status == 405
            assert answer.headers["Allow"] in ("GET", "POST")


@pytest.mark.parametrize(
    "path",
    ["/static/../page_server.py", "/static/..%2f..%2fserver%2froutes.py", "/static/%2e%2e/app.js", "//etc/passwd",
     "/static//etc/passwd", "/review/../../report.json", "/review/postmortem.html/", "/static/__init__.py",
     "/.git/config", "/static/app.js%00", "/%ff", "/review/"],
)  # fmt: skip
async def test_no_path_leads_into_the_file_system(path: str) -> None:
    async with exercise() as site:
        site.room.state = "over"
        browser = await site.enter(Role.GAMEMASTER)
        cookie = browser.headers()["Cookie"]
        request = f"GET {path} HTTP/1.1\r\nHost: localhost:{site.port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        assert status(await exchange(site.port, request.encode())) in (400, 404)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[1]", "send a JSON object"),
        (b'"text"', "send a JSON object"),
        (b"null", "send a JSON object"),
        (b"NaN", "malformed"),
        (b"[" * 60_000, "recursion"),
        (b'{"a":' * 10_000, "recursion"),
        (b'{"key": 5, "do": "note"}', "key: a text"),
        (b'{"do": "note"}', "key: a text"),
        (b'{"key": "short", "do": "note"}', "key: a text"),
        (b'{"key": "%b", "do": "note"}' % (b"k" * 65), "key: a text"),
        (b'{"key": "12345678"}', "do: the name"),
        (b'{"key": "12345678", "do": ["note"]}', "do: the name"),
        (b'{"key": "12345678", "do": "../note"}', "do: the name"),
        (b'{"key": "12345678", "do": "note", "text": "\\ud800"}', ""),
        (b'{"key": "12345678", "do": "note", "text": 1e999}', ""),
    ],
)
async def test_a_malformed_action_is_400_with_a_text(body: bytes, why: str) -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        answer = await browser.post("/api/action", body)
        assert answer.status == 400
        assert why in answer.json["error"].lower() or why in answer.json["error"]
        assert (await browser.act(KEY, "note", text="still here")).status == 200


@pytest.mark.parametrize(
    "body", [[], {"token": 1, "name": "Eve"}, {"token": "x"}, {"token": "x", "name": "E", "role": "gamemaster"}]
)
async def test_a_malformed_entry_is_400(body: object) -> None:
    async with exercise() as site:
        answer = await Browser(site).post("/api/enter", body)
        assert (answer.status, answer.json["error"]) == (400, "send {token, name}: both are texts")


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"Content-Type": "text/plain"}, 415), ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
     ({"Content-Type": "multipart/form-data"}, 415), ({"Content-Encoding": "br"}, 415), ({"Expect": "wonder"}, 417)],
)  # fmt: skip
async def test_only_json_is_accepted(headers: dict[str, str], code: int) -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        assert (await browser.post("/api/action", NOTE, headers)).status == code
        assert site.room.acts == []


async def test_a_note_of_a_megabyte_is_refused_with_the_limit() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        answer = await browser.act(KEY, "note", text="x" * 1_000_000)
        assert (answer.status, answer.json["error"]) == (413, "the body is larger than 64 KiB")


async def test_a_body_of_100_mb_is_refused_before_it_is_sent() -> None:
    async with exercise() as site:
        for browser in (Browser(site), await site.enter(Role.RESPONDER)):
            announced = head(site, browser, b"Content-Length: 100000000\r\n\r\n")
            assert status(await exchange(site.port, announced)) == (413 if browser.cookies else 401)


@pytest.mark.parametrize("path", ["/api/action", "/api/enter"])
async def test_an_endless_chunked_body_is_refused_and_not_kept(path: str) -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(head(site, browser, b"Transfer-Encoding: chunked\r\n\r\n", path))
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                while not reader.at_eof():
                    writer.write(chunk)
                    await writer.drain()
        writer.close()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KB


@pytest.mark.parametrize(
    "more", [b"Content-Length: 50\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b"X-Slow: a"]
)
@pytest.mark.parametrize("entered", [True, False])
async def test_a_body_or_head_that_never_ends_is_cut_off(more: bytes, entered: bool) -> None:
    async with exercise(limits=SHORT) as site:
        browser = await site.enter(Role.RESPONDER) if entered else Browser(site)
        answer = await exchange(site.port, head(site, browser, more))
        assert answer == b"" or status(answer) == 401
        assert site.room.acts == []


async def test_an_action_may_take_longer_than_a_request_may() -> None:
    async with exercise(limits=SHORT) as site:
        browser = await site.enter(Role.RESPONDER)
        site.room.gate = asyncio.Event()
        press = asyncio.ensure_future(browser.act(KEY, "notice"))
        other = await Browser(site).get("/")
        silent, writer = await asyncio.open_connection("127.0.0.1", site.port)
        assert await silent.read() == b""  # a stranger's time is over
        writer.close()
        site.room.gate.set()
        assert ((await press).status, other.status) == (200, 200)


async def test_long_paths_and_heads_are_refused_and_large_cookies_are_not() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        assert (await browser.get("/" + "a" * 3000)).status == 414
        assert (await browser.get("/", {"X-Long": "a" * 20_000})).status == 431
        assert (await browser.get("/", {f"X-{number}": "a" for number in range(80)})).status == 431
        browser.cookies = {"of-another-server": "x" * 8000, **browser.cookies}
        assert (await browser.get("/api/state")).status == 200


async def test_strangers_cannot_use_up_the_connections() -> None:
    limits = PortLimits(request_s=5.0, idle_s=60.0, sweep_s=0.05, strangers=20, own=100)
    async with exercise(limits=limits) as site:
        browser = await site.enter(Role.RESPONDER)
        async with browser.stream() as events:
            await anext(events)
            held = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(80)]
            for _, writer in held:
                writer.write(b"POST /api/ac")
            assert (await browser.get("/api/state")).status == 200
            await until(lambda: site.server.connections <= 25)
            assert [(await anext(events)).kind for _ in range(3)] == ["state"] * 3
            for _, writer in held:
                writer.close()


async def test_a_stranger_gets_one_answer_for_each_connection() -> None:
    async with exercise() as site:
        two = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
        answer = await exchange(site.port, two)
        assert answer.count(b"HTTP/1.1 200") == 1


async def test_smuggled_and_doubled_heads_are_refused() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        both = head(site, browser, b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert status(await exchange(site.port, both)) == 400
        doubled = head(site, browser, b"Host: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        assert status(await exchange(site.port, doubled)) in (400, 403)
        assert site.room.acts == []
