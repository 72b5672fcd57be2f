"""The world of a run with real processes: one that was ordered to end starts again, also if the order was cancelled."""

from __future__ import annotations

import asyncio
import platform
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from chaos.faults.world import FaultError, ReplicaView, Unreachable
from chaos.runner.live_world import Address, LiveWorld
from chaos.runner.load_control import LoadControl
from chaos.runner.ports import free_ports
from chaos.runner.refusals import Refusals
from chaos.supervision.supervisor import Supervisor
from tests.support.shepherd_helpers import eventually_async, spec

TOKEN = "token-of-this-run"
ENDS: dict[str, Callable[[LiveWorld], Coroutine[Any, Any, None]]] = {
    "kill": lambda world: world.kill("tpu-0"),
    "terminate": lambda world: world.terminate("tpu-0", grace_s=60),
}


def world_of(supervisor: Supervisor, folder: Path, *command: str) -> LiveWorld:
    """A world whose replicas are started by this command."""

    async def start_again(name: str, cold_start_s: float) -> None:
        await supervisor.spawn(spec(folder, name, *command))

    return LiveWorld(supervisor, {}, TOKEN, start_again, LoadControl())


async def starting(supervisor: Supervisor, folder: Path) -> LiveWorld:
    """A world with one running replica, which ignores SIGTERM."""
    command = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done")
    world = world_of(supervisor, folder, *command)
    await supervisor.spawn(spec(folder, "tpu-0", *command))
    await eventually_async(lambda: "ready" in (folder / "tpu-0.log").read_text(), "the replica ready")
    return world


@pytest.mark.parametrize("turns", [*range(4), 20])
@pytest.mark.parametrize("end", ENDS)
async def test_a_replica_is_started_again_after_an_end_that_was_cancelled(tmp_path: Path, end: str, turns: int) -> None:
    """The end is cancelled after so many turns of the event loop: before and after the signal was sent."""
    async with Supervisor(run_dir=tmp_path, owner="run-1") as supervisor:
        world = await starting(supervisor, tmp_path)
        ending = asyncio.ensure_future(ENDS[end](world))
        for _ in range(turns):
            await asyncio.sleep(0)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        await world.start("tpu-0")
        child = supervisor.child("tpu-0")
        assert child is not None
        # An end that was cancelled before it began has ordered nothing, so that its process is left alone.
        assert child.incarnation == (1 if turns == 0 else 2)
        assert await world.state("tpu-0") == "running"
        await world.start("tpu-0")
        assert supervisor.child("tpu-0") == child, "a running replica is started only once"


LEADER_EXITS = """
import ctypes, os, pathlib, platform, sys, threading, time
def other():
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.01)
    os._exit(0)
threading.Thread(target=other).start()
number = {"x86_64": 60, "aarch64": 93}[platform.machine()]  # exit(2): of this thread only
ctypes.CDLL(None).syscall(number, 0)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the number of exit(2) is not known")
async def test_a_replica_of_which_a_thread_still_ends_is_started_when_it_is_reaped(tmp_path: Path) -> None:
    """The kernel says that it is a zombie from the end of its first thread on, and lets nobody reap it yet."""
    async with Supervisor(run_dir=tmp_path, owner="run-1") as supervisor:
        world = world_of(supervisor, tmp_path, "sleep", "60")
        await supervisor.spawn(spec(tmp_path, "tpu-0", sys.executable, "-c", LEADER_EXITS, str(tmp_path / "end")))
        await eventually_async(lambda: supervisor.state("tpu-0") == "gone", "the zombie")
        starting_again = asyncio.ensure_future(world.start("tpu-0"))
        await supervisor.signal("tpu-0", signal.SIGCONT)  # the shepherd has answered a request meanwhile
        assert not starting_again.done()
        (tmp_path / "end").touch()
        await starting_again
        second = supervisor.child("tpu-0")
        assert second is not None
        assert second.incarnation == 2


async def test_connections_that_a_dead_replica_refuses_to_the_runner_are_counted(tmp_path: Path) -> None:
    """They are in the kernel's count, and no gateway made them."""
    (port, control) = free_ports(2)
    refusals = Refusals()
    async with Supervisor(run_dir=tmp_path, owner="run-1") as supervisor:
        addresses = {"tpu-0": Address(ReplicaView("tpu-0", "tpu", "gcp"), port, control)}

        async def never(name: str, cold_start_s: float) -> None: ...

        async with LiveWorld(supervisor, addresses, TOKEN, never, LoadControl(), refusals=refusals) as world:
            await supervisor.spawn(spec(tmp_path, "tpu-0", "sleep", "60"))
            assert not await world.ready("tpu-0")
            assert refusals.own == 1
            with pytest.raises(Unreachable):
                await world.add_behaviour("tpu-0", "f1", {})
            assert refusals.own == 2


async def test_a_replica_that_ends_as_it_starts_is_not_waited_for(tmp_path: Path) -> None:
    async with Supervisor(run_dir=tmp_path, owner="run-1") as supervisor:
        addresses = {"tpu-0": Address(ReplicaView("tpu-0", "tpu", "gcp"), *free_ports(2))}

        async def never(name: str, cold_start_s: float) -> None: ...

        await supervisor.spawn(spec(tmp_path, "tpu-0", "true"))
        await supervisor.wait("tpu-0")
        async with LiveWorld(supervisor, addresses, TOKEN, never, LoadControl()) as world:
            with pytest.raises(FaultError, match=r"tpu-0 was started again, and has ended by itself"):
                await world.ready("tpu-0")
            world.end()
            assert not await world.ready("tpu-0")
