"""Processes that are started again by hand, and after they were lent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.by_hand import processes
from chaos.by_hand.processes import start_lent_again, start_process_again
from chaos.runner.early_end import Ended
from chaos.runner.setup import Setup
from reports.shared.errors import TargetFailed


class FakeSetup:
    """Keeps what was done. `port`: of its only replica."""

    def __init__(self, port: int) -> None:
        self.done: list[str] = []
        self.state = "gone"
        self.addresses = {"tpu-0": SimpleNamespace(port=port)}
        self.deployment = SimpleNamespace(
            replica_url=lambda name: name, gateway_url="gateway", gateway_spec=lambda: "gateway"
        )
        self.gateway: Any = None
        self.supervisor = SimpleNamespace(state=lambda name: self.state, stop=self.stop, wait=self.wait)
        self.watch = SimpleNamespace(log_excerpt=lambda name: f": the log of {name}")
        self.status: int | None = None
        """Of a process that ends as soon as it has started."""

    async def wait(self, name: str) -> int:
        if self.status is None:
            await asyncio.Event().wait()
        assert self.status is not None
        return self.status

    def is_ready(self, name: str) -> None:
        self.done.append(f"ready {name}")

    async def stop(self, name: str, grace_s: float) -> None:
        self.done.append(f"stop {name}")

    async def start_again(self, name: str, cold_start_s: float) -> None:
        self.done.append(f"start {name}")

    async def spawn(self, spec: object) -> None:
        self.done.append(f"spawn {spec}")

    async def start_gateway(self) -> None:
        raise Ended("failed", "nginx does not start", 5)


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def all_ready(urls: dict[str, str], on_ready: Callable[[str], None]) -> None:
        for name in urls:
            on_ready(name)

    monkeypatch.setattr(processes, "all_ready", all_ready)


async def again(setup: FakeSetup, name: str) -> list[str]:
    said: list[str] = []
    await start_process_again(cast(Setup, setup), name, said.append)
    return said


async def test_a_process_that_is_there_ends_before_it_starts_again() -> None:
    setup = FakeSetup(1)
    assert await again(setup, "tpu-0") == ["tpu-0 starts"]
    setup.state = "running"
    assert await again(setup, "gateway") == ["gateway ends", "gateway starts"]
    assert setup.done == ["start tpu-0", "ready tpu-0", "stop gateway", "spawn gateway", "ready gateway"]


@pytest.mark.parametrize("name", ["tpu-0", "gateway"])
async def test_a_process_that_ends_as_it_starts_is_told_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(urls: dict[str, str], on_ready: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(processes, "all_ready", never)
    setup = FakeSetup(1)
    setup.status = 1
    async with asyncio.timeout(5):
        with pytest.raises(
            TargetFailed, match=rf"{name} exited before it was ready \(exit code 1\): the log of {name}"
        ):
            await again(setup, name)


async def test_a_real_gateway_that_does_not_start_is_told_in_its_words() -> None:
    setup = FakeSetup(1)
    setup.gateway = object()
    with pytest.raises(TargetFailed, match="nginx does not start"):
        await again(setup, "gateway")


async def test_a_process_that_is_not_ready_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(urls: dict[str, str], on_ready: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(processes, "all_ready", never)
    monkeypatch.setattr(processes, "READY_WITHIN_S", 0.02)
    with pytest.raises(TargetFailed, match=r"tpu-0 is not ready after 0\.02 s"):
        await again(FakeSetup(1), "tpu-0")


async def test_lent_replicas_start_when_those_of_the_run_have_left_the_ports() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    setup = FakeSetup(taken.getsockname()[1])
    starting = asyncio.create_task(start_lent_again(cast(Setup, setup)))
    await asyncio.sleep(0)
    assert setup.done == []
    taken.close()
    await starting
    assert setup.done == ["start tpu-0", "ready tpu-0"]


async def test_a_port_that_stays_taken_is_named_with_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FREE_WITHIN_S", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TargetFailed, match=rf"port {port} of tpu-0 is in use by process \d+"):
            await start_lent_again(cast(Setup, FakeSetup(port)))
