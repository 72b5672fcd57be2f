"""Leases of behaviours: each process is renewed on its own, and a behaviour that a process lost is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from chaos.faults.world import ReplicaView
from chaos.runner import live_world
from chaos.runner.live_world import Address, LiveWorld
from chaos.runner.load_control import LoadControl

BODY: dict[str, Any] = {"kind": "latency", "params": {"delay_ms": 5}}


class ControlPort:
    """A control port that keeps ids, and can be made silent."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.renewals = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def handle(self, request: web.Request) -> web.Response:
        await self.answers.wait()
        if request.method == "PUT":
            self.ids.add(request.path.rsplit("/", 1)[1])
            return web.json_response({})
        if request.method == "DELETE":
            self.ids.discard(request.path.rsplit("/", 1)[1])
            return web.json_response({"hits": 0})
        self.renewals += 1
        return web.json_response({"renewed": sorted(self.ids & set((await request.json())["ids"]))})


class Rig:
    def __init__(self) -> None:
        self.ports = {f"tpu-{n}": ControlPort() for n in range(5)}
        self.lapsed: list[tuple[str, str]] = []


@asynccontextmanager
async def world_of(rig: Rig) -> AsyncIterator[LiveWorld]:
    runners, addresses = [], {}
    for name, port in rig.ports.items():
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", port.handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        addresses[name] = Address(ReplicaView(name, "tpu", "gcp"), 1, runner.addresses[0][1])

    async def start_again(name: str, cold_start_s: float) -> None:
        raise AssertionError("no process is started in these tests")

    try:
        async with LiveWorld(
            None,  # type: ignore[arg-type]  # no process is needed
            addresses,
            "token",
            start_again,
            LoadControl(),
            on_lapse=lambda name, fault_id: rig.lapsed.append((name, fault_id)),
        ) as world:
            yield world
    finally:
        for port in rig.ports.values():
            port.answers.set()
        await asyncio.gather(*(runner.cleanup() for runner in runners))


async def until(condition: Any, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_world, "RENEW_EVERY_S", 0.1)
    monkeypatch.setattr(live_world, "RENEW_WITHIN_S", 0.2)
    monkeypatch.setattr(live_world, "LEASE_S", 1.5)


async def test_processes_that_do_not_answer_delay_the_renewals_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_world, "RENEW_WITHIN_S", 2.0)
    monkeypatch.setattr(live_world, "LEASE_S", 60.0)
    rig = Rig()
    async with world_of(rig) as world:
        for name in rig.ports:
            await world.add_behaviour(name, "f1", BODY)
        *silent, last = rig.ports.values()
        for port in silent:
            port.answers.clear()
        before = last.renewals
        since = asyncio.get_running_loop().time()
        await until(lambda: last.renewals >= before + 3, 30.0)
        # One after the other, three renewals of the last would need three times the limit of the four silent ones.
        assert asyncio.get_running_loop().time() - since < 3 * 4 * 2.0
        assert rig.lapsed == []


async def test_a_behaviour_that_the_answer_does_not_name_has_lapsed_once() -> None:
    rig = Rig()
    async with world_of(rig) as world:
        port = rig.ports["tpu-0"]
        await world.add_behaviour("tpu-0", "f1", BODY)
        await world.add_behaviour("tpu-0", "f2", BODY)
        port.ids.discard("f1")
        await until(lambda: rig.lapsed)
        before = port.renewals
        await until(lambda: port.renewals >= before + 2)
        assert rig.lapsed == [("tpu-0", "f1")]


async def test_a_process_that_does_not_answer_for_a_lease_has_lost_its_behaviours() -> None:
    rig = Rig()
    async with world_of(rig) as world:
        await world.add_behaviour("tpu-1", "f1", BODY)
        rig.ports["tpu-1"].answers.clear()
        await until(lambda: rig.lapsed)
        assert rig.lapsed == [("tpu-1", "f1")]


async def test_a_behaviour_that_was_removed_has_not_lapsed() -> None:
    rig = Rig()
    async with world_of(rig) as world:
        port = rig.ports["tpu-0"]
        await world.add_behaviour("tpu-0", "f1", BODY)
        await world.add_behaviour("tpu-0", "f2", BODY)
        await world.remove_behaviour("tpu-0", "f1")
        before = port.renewals
        await until(lambda: port.renewals >= before + 3)
        assert rig.lapsed == []
