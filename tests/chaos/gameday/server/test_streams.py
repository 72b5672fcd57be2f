"""Pushes: one tick for all, the same bytes, one document pending, an end with a goodbye."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Mapping
from typing import Any

from chaos.gameday.core.roles import Role
from chaos.gameday.server.access import Access
from chaos.gameday.server.streams import MOST_STREAMS_EACH, Pushes
from tests.support.gameday_room import LARGE_POOLS, FakeRoom
from tests.support.gameday_server import Event, Site, exercise, until


class CountingRoom(FakeRoom):
    """Counts how often a document is made."""

    def __init__(self) -> None:
        super().__init__()
        self.views: list[Role] = []
        self.failing = False

    def view(self, role: Role) -> dict[str, Any]:
        self.views.append(role)
        if self.failing:
            raise LookupError("a defect")
        return super().view(role)


async def test_a_stream_begins_with_who_you_are_and_the_present_document() -> None:
    async with exercise(tick_s=60.0) as site:
        browser = await site.enter(Role.RESPONDER)
        for headers in ({}, {"Last-Event-ID": "123456"}, {"Last-Event-ID": "nonsense"}):
            async with browser.stream(headers) as events:
                you, state = await anext(events), await anext(events)
            assert you == Event("you", "", {"id": browser.id, "name": "Ana", "role": "responder"})
            assert (state.kind, state.id, state.data["seq"]) == ("state", "0", 0)


async def test_all_streams_of_a_role_get_the_same_document_at_each_tick() -> None:
    room = CountingRoom()
    async with exercise(room=room) as site:
        browsers = [await site.enter(Role.AUDIENCE, f"v{number}") for number in range(10)]
        seen: list[list[Event]] = [[] for _ in browsers]

        async def watch(index: int) -> None:
            async with browsers[index].stream() as events:
                async for event in events:
                    seen[index].append(event)
                    if len(seen[index]) > 8:
                        return

        await asyncio.gather(*(watch(index) for index in range(10)))
        by_id: dict[str, set[str]] = {}
        for event in (event for events in seen for event in events if event.kind == "state"):
            by_id.setdefault(event.id, set()).add(event.data["at"])
        assert all(len(times) == 1 for times in by_id.values())
        assert len(room.views) <= len(by_id) + 1
        assert set(room.views) == {Role.AUDIENCE}
        ids = [int(event.id) for event in seen[0] if event.kind == "state"]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_an_action_pushes_nothing_before_the_tick() -> None:
    async with exercise(tick_s=60.0) as site:
        browser = await site.enter(Role.RESPONDER)
        async with browser.stream() as events:
            await anext(events), await anext(events)
            assert (await browser.act("0d9b4f1e-1", "notice")).status == 200
            pending = asyncio.ensure_future(anext(events))
            await browser.get("/api/state")
            assert not pending.done()
            site.server.pushes.tick()
            assert (await pending).data["responder"]["noticed"] is not None


async def test_every_stream_gets_a_goodbye_when_the_server_ends() -> None:
    async with exercise() as site:
        browsers = [await site.enter(role, role.value) for role in Role]
        ends = []
        for browser in browsers:

            async def watch(browser: Any = browser) -> list[str]:
                async with browser.stream() as events:
                    return [event.kind async for event in events]

            ends.append(asyncio.ensure_future(watch()))
        await until(lambda: site.server.pushes.count() == 3)
        async with asyncio.timeout(5):
            await site.server.close()
            await site.server.close()
            for end in ends:
                assert (await end)[-1] == "bye"


async def test_the_room_is_told_how_many_streams_a_person_has() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        async with browser.stream() as first:
            await anext(first)
            async with browser.stream() as second:
                await anext(second)
                assert site.room.streams[browser.id] == 2
        await until(lambda: site.room.streams[browser.id] == 0)


async def test_one_person_cannot_open_streams_without_end() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.AUDIENCE)
        held = [await site.client.get(f"{site.url}/api/stream", headers=browser.headers()) for _ in range(9)]
        assert [got.status for got in held] == [200] * MOST_STREAMS_EACH + [429]
        for got in held:
            got.close()


async def test_a_defect_of_the_exercise_does_not_end_the_streams() -> None:
    room = CountingRoom()
    async with exercise(room=room) as site:
        browser = await site.enter(Role.RESPONDER)
        async with browser.stream() as events:
            await anext(events), await anext(events)
            room.failing = True
            made = len(room.views)
            await until(lambda: len(room.views) > made + 2)
            room.failing = False
            assert (await anext(events)).kind == "state"


def slow_stream(site: Site, headers: Mapping[str, str]) -> socket.socket:
    """A stream whose reader reads nothing, and whose kernel holds little."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    peer.connect(("127.0.0.1", site.port))
    request = f"GET /api/stream HTTP/1.1\r\nHost: localhost:{site.port}\r\nCookie: {headers['Cookie']}\r\n\r\n"
    peer.sendall(request.encode())
    peer.setblocking(False)
    return peer


async def test_a_client_that_reads_nothing_costs_one_document_and_gets_the_newest() -> None:
    room = FakeRoom(LARGE_POOLS, log_lines=300, running_s=900)
    async with exercise(room=room, tick_s=0.01) as site:
        browser, other = await site.enter(Role.RESPONDER), await site.enter(Role.RESPONDER, "Ben")
        peer = slow_stream(site, browser.headers())
        await until(lambda: site.server.pushes.count() == 1)
        assert site.server._server is not None
        transports = [c.transport for c in site.server._server.connections if c.transport is not None]
        most = 0
        async with other.stream() as events:
            async for event in events:
                most = max([most, *(transport.get_write_buffer_size() for transport in transports)])
                if event.kind == "state" and int(event.id) > 200:
                    break
        assert 0 < most < 120_000  # a document is 45,000 bytes; the first ones come with it
        newest = site.server.pushes._seq
        loop, received = asyncio.get_running_loop(), b""
        async with asyncio.timeout(20):
            while not (ids := re.findall(rb"id: (\d+)\n", received)) or int(ids[-1]) < newest:
                received += await loop.sock_recv(peer, 65536)
        before = [int(one) for one in ids if int(one) < newest - 5]
        assert len(before) < 20
        peer.close()


async def test_a_client_that_reads_nothing_for_long_is_cut_off() -> None:
    room = FakeRoom(LARGE_POOLS, log_lines=300)
    async with exercise(room=room, tick_s=0.01, drain_s=0.3) as site:
        browser = await site.enter(Role.RESPONDER)
        peer = slow_stream(site, browser.headers())
        await until(lambda: site.room.streams.get(browser.id) == 1)
        await until(lambda: site.room.streams[browser.id] == 0)
        await until(lambda: site.server.connections <= 1)
        peer.close()


async def test_ticks_that_were_missed_are_left_out() -> None:
    pushes = Pushes(FakeRoom(), tick_s=0.02)
    access = Access()
    _, session = access.enter(access.tokens[Role.AUDIENCE], "Ana", 0.0)
    stream, _ = pushes.open(session, lambda: None)
    pushes.start()
    while pushes._seq < 2:
        await asyncio.sleep(0.005)
    began = pushes._seq
    time.sleep(0.3)  # noqa: ASYNC251  (the process is stopped)
    resumed_s = time.monotonic()
    await asyncio.sleep(0.03)
    assert pushes._seq - began <= (time.monotonic() - resumed_s) / 0.02 + 2
    await pushes.close()
    assert await stream.next() is not None
    assert await stream.next() is None
