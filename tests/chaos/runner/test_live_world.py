"""The world of a run: faults of a real gateway and of the load, and leases that expire when they are not renewed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from chaos.faults.catalogue import KINDS
from chaos.faults.world import FaultError, ReplicaView, Undo, Unreachable
from chaos.runner import live_world
from chaos.runner.collector import Counters
from chaos.runner.live_world import Address, LiveWorld
from chaos.runner.load_control import LoadControl
from chaos.supervision.undo import perform
from targets.gateway.config import GatewayConfig, Upstream
from targets.gateway.server.server import GatewayServer

TOKEN = "token-of-this-run"


class Processes:
    """A supervisor without processes, which keeps the undo records."""

    def __init__(self) -> None:
        self.armed: dict[str, list[Undo]] = {}

    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        self.armed[fault_id] = list(undo)

    async def disarm(self, fault_id: str) -> None:
        self.armed.pop(fault_id)

    def state(self, name: str) -> str:
        return "running"


async def until(condition: Callable[[], Any], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def gateway() -> AsyncIterator[GatewayServer]:
    upstreams = tuple(Upstream(f"tpu-{n}", "tpu", f"http://127.0.0.1:{n + 1}") for n in range(2))
    server = GatewayServer(GatewayConfig(upstreams, control_port=0), TOKEN)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


def world_of(processes: Processes, load: LoadControl, control_port: int | None = None) -> LiveWorld:
    async def start_again(name: str, cold_start_s: float) -> None:
        raise AssertionError("no process is started in these tests")

    return LiveWorld(processes, {}, TOKEN, start_again, load, control_port or 0)  # type: ignore[arg-type]


SPECS = {"slow_scheduler": {"delay": "50ms"}, "stuck_config": {"replicas": "tpu-1"}}


@pytest.mark.parametrize("kind", SPECS)
async def test_a_fault_of_the_gateway_is_added_and_removed_over_its_control_port(kind: str) -> None:
    processes = Processes()
    async with gateway() as server, world_of(processes, LoadControl(), server.control_port) as world:
        spec = KINDS[kind].model_validate(SPECS[kind])
        fault = spec.build("f1", spec.select([], 7, "f1"), 7)
        await fault.inject(world)
        await fault.confirm(world)
        assert set(server.context.behaviours.listing()) == {"f1"}
        [undo] = processes.armed["f1"]
        assert await fault.revert(world) == 0
        await fault.verify(world)
        assert server.context.behaviours.listing() == {}
        assert processes.armed == {}
        # the undo record, as the shepherd performs it
        await fault.inject(world)
        ok, _ = await asyncio.to_thread(perform, undo, token=TOKEN)
        assert ok
        assert server.context.behaviours.listing() == {}


async def test_the_gateway_drops_a_fault_whose_lease_is_not_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_world, "LEASE_S", 0.4)
    monkeypatch.setattr(live_world, "RENEW_EVERY_S", 0.1)
    async with gateway() as server:
        async with world_of(Processes(), LoadControl(), server.control_port) as world:
            await world.add_behaviour("gateway", "f1", {"kind": "slow_scheduler", "params": {"ms": 5}})
            entry = server.context.behaviours.listing()["f1"]
            since = monotonic()
            await until(lambda: monotonic() - since > 0.6)  # longer than the lease, which is renewed
            assert entry["kind"] == server.context.behaviours.listing()["f1"]["kind"]
        await until(lambda: server.context.behaviours.listing() == {}, 2)


async def test_parameters_that_the_gateway_refuses_raise_an_error_of_the_fault() -> None:
    async with gateway() as server, world_of(Processes(), LoadControl(), server.control_port) as world:
        with pytest.raises(FaultError, match="unknown replica tpu-9"):
            await world.add_behaviour("gateway", "f1", {"kind": "stuck_config", "params": {"replicas": ["tpu-9"]}})


async def test_the_operators_settings_are_set_and_read_over_the_control_port() -> None:
    async with gateway() as server, world_of(Processes(), LoadControl(), server.control_port) as world:
        state = {"drained": ["tpu"], "shed": ["batch"], "policies": ["retries: off"], "added": []}
        assert await world.operate(state) == state == await world.operations()
        assert server.snapshot()["operations"] == state
        with pytest.raises(FaultError, match="unknown pool: gpu; known: tpu"):
            await world.operate({"drained": ["gpu"]})


async def test_replicas_of_an_added_pool_are_targets_until_they_are_removed() -> None:
    world = world_of(Processes(), LoadControl())
    world.add_replicas({"spare-0": Address(ReplicaView("spare-0", "spare", "azure"), 1, 2)})
    assert list(world.replicas) == ["spare-0"]
    assert world.behaviour_url("spare-0", "f1") == "http://127.0.0.1:2/behaviours/f1"
    world.remove_replicas(["spare-0"])
    assert not world.replicas


async def test_a_surge_is_confirmed_and_reverted_when_the_load_generators_report_it() -> None:
    load, processes = LoadControl(), Processes()
    spec = KINDS["surge"].model_validate({"factor": 3})
    fault = spec.build("f1", ["load"], 7)

    def post(**data: Any) -> dict[str, Any]:
        return dict(load.on_counters(Counters("locust", 1, "load", 5, data={"load_started": 1, **data})))

    async with world_of(processes, load) as world:
        with pytest.raises(Unreachable):
            await world.demand_state("f1")
        await fault.inject(world)
        assert processes.armed == {"f1": [{"do": "lapse", "process": "locust"}]}
        [order] = post(demand={}, demand_over={})["demand"]
        assert order == {"id": "f1", "kind": "surge", "params": {"factor": 3.0}, "seed": 7}
        confirming = asyncio.create_task(fault.confirm(world))
        await asyncio.sleep(0)
        assert not confirming.done()
        post(demand={"f1": 0}, demand_over={})
        await confirming
        reverting = asyncio.create_task(fault.revert(world))
        await until(lambda: not load.orders)
        assert post(demand={"f1": 12}, demand_over={})["demand"] == []
        post(demand={}, demand_over={"f1": 13})
        assert await reverting == 13
        await fault.verify(world)
        assert processes.armed == {}
