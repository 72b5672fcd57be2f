"""Start, links and end of the server; TLS; a public URL; a port that is in use."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from chaos.gameday.core.roles import Role
from chaos.gameday.server.page_server import PageServer
from chaos.gameday.server.serving import Serving
from reports.shared.errors import UserError
from tests.support.gameday_room import FakeRoom
from tests.support.gameday_server import TINY_PAGES, Browser, exercise

CA = trustme.CA()


def with_certificate(folder: Path, *names: str, **more: Any) -> tuple[Serving, ssl.SSLContext]:
    issued = CA.issue_cert(*names)
    (folder / "c.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    (folder / "k.pem").write_bytes(issued.private_key_pem.bytes())
    trust = ssl.create_default_context()
    CA.configure_trust(trust)
    return Serving(certificate=folder / "c.pem", key=folder / "k.pem", **more), trust


async def test_links_hold_a_token_for_each_role_in_the_fragment() -> None:
    async with exercise() as site:
        links = site.server.links
        assert list(links) == list(Role)
        assert site.server.url == f"http://127.0.0.1:{site.port}"
        assert {link.partition("#t=")[0] for link in links.values()} == {site.server.url + "/"}
        assert len({link.partition("#t=")[2] for link in links.values()}) == 3


async def test_a_second_game_day_on_the_port_is_told_who_has_it() -> None:
    async with exercise() as site:
        second = PageServer(FakeRoom(), Serving(port=site.port), TINY_PAGES)
        with pytest.raises(UserError) as refused:
            await second.start()
        await second.close()
        text = str(refused.value)
        assert f"port {site.port} is in use by process {os.getpid()}" in text
        assert "another port" in text
        assert all(site.token(role) not in text for role in Role)


async def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    serving, _ = with_certificate(tmp_path, "192.0.2.1", listen="192.0.2.1")
    with pytest.raises(UserError, match="does not have that address"):
        await PageServer(FakeRoom(), serving, TINY_PAGES).start()


async def test_the_port_is_free_again_after_the_end_and_no_task_is_left() -> None:
    before = asyncio.all_tasks()
    async with exercise() as site:
        port = site.port
        browser = await site.enter(Role.RESPONDER)
        await browser.get("/api/state")
    async with exercise(Serving(port=port)) as site:
        assert (await Browser(site).get("/")).status == 200
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()


async def test_with_a_certificate_browsers_come_by_tls(tmp_path: Path) -> None:
    serving, trust = with_certificate(tmp_path, "localhost", "127.0.0.1", listen="0.0.0.0")
    async with exercise(serving, trust=trust) as site:
        assert site.url == f"https://localhost:{site.port}"
        browser = Browser(site)
        entered = await browser.post("/api/enter", {"token": site.token(Role.RESPONDER), "name": "Ana"})
        assert entered.status == 200
        assert entered.headers["Set-Cookie"].startswith(f"__Host-brownout-gameday-{site.port}=")
        assert entered.headers["Set-Cookie"].endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
        assert (await browser.act("0d9b4f1e-1", "notice")).status == 200
        async with browser.stream() as events:
            assert [(await anext(events)).kind for _ in range(4)] == ["you", "state", "state", "state"]
        plain = {"Origin": site.url.replace("https", "http")}
        assert (await browser.post("/api/action", {}, plain)).status == 403
        assert (await browser.get("/", {"Host": f"0.0.0.0:{site.port}"})).status == 403


async def test_a_link_has_a_name_that_the_certificate_is_for(tmp_path: Path) -> None:
    for names, host in (((("*.lab.example"), "gd.lab.example"), "gd.lab.example"), (("127.0.0.1",), "127.0.0.1")):
        serving, trust = with_certificate(tmp_path, *names, listen="127.0.0.1" if "127.0.0.1" in names else "0.0.0.0")
        async with exercise(serving, trust=trust) as site:
            assert site.server.url == f"https://{host}:{site.port}"


async def test_behind_a_proxy_the_public_url_is_the_only_name() -> None:
    async with exercise(Serving(public_url="https://gameday.example")) as site:
        assert site.server.links[Role.AUDIENCE].startswith("https://gameday.example/#t=")
        assert site.server._acceptor is not None
        port = site.server._acceptor._listener.getsockname()[1]
        site.url = f"http://127.0.0.1:{port}"
        passed_on = {"Host": "gameday.example", "Origin": "https://gameday.example"}
        entry = {"token": site.token(Role.RESPONDER), "name": "Ana"}
        browser = Browser(site)
        entered = await browser.post("/api/enter", entry, passed_on)
        assert entered.status == 200
        assert entered.headers["Set-Cookie"].startswith("__Host-brownout-gameday-443=")
        assert "; Secure" in entered.headers["Set-Cookie"]
        assert (await browser.get("/api/state", {"Host": "gameday.example"})).status == 200
        forwarded = {"X-Forwarded-Host": "gameday.example", "Forwarded": "host=gameday.example"}
        assert (await browser.get("/api/state", forwarded)).status == 403
        assert (await browser.post("/api/enter", entry)).status == 403


async def test_plain_http_on_a_port_with_tls_is_dropped_and_forgotten(tmp_path: Path) -> None:
    serving, trust = with_certificate(tmp_path, "127.0.0.1")
    async with exercise(serving, trust=trust) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(10):
            assert b"HTTP" not in await reader.read()
            while site.server.connections:
                await asyncio.sleep(0.01)
        writer.close()
        with socket.create_connection(("127.0.0.1", site.port)):
            pass
        assert (await Browser(site).get("/")).status == 200
