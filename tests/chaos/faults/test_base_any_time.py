"""Every kind of fault, injected at any time of a run: it is confirmed, hits, is undone, and then all is as it was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.catalogue import KINDS
from chaos.testing.memory_replica import LEASE_S, MemoryReplica, ReplicaWorld
from chaos.testing.memory_world import REPLICAS, MemoryWorld
from chaos.testing.mock_clock import run_in_virtual_time
from targets.replica.behaviours import BEHAVIOURS
from tests.chaos.faults.test_base import SPECS

CLIENTS = 3
LOAD_S = 3.0
TOKENS = (12, 30, 55)


@dataclass
class Told:
    """What came of a run."""

    hits: int | None
    well: bool
    after: list[tuple[float, bytes]]
    late: list[bytes]  # whole answers to calls that were sent when it was over


async def client(replica: MemoryReplica, number: int, over: asyncio.Event, late: list[bytes]) -> None:
    """Calls one after another until the load ends."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LOAD_S
    turn = 0
    while loop.time() < end:
        sent_after = over.is_set()
        writes = await replica.call(f"c{number}", turn, TOKENS[(number + turn) % len(TOKENS)])
        if sent_after:
            late.append(b"".join(data for _, data in writes))
        turn += 1
        await asyncio.sleep(0.01 * (number + 1))


async def scraper(replica: MemoryReplica) -> None:
    """Somebody who believes `/metrics`."""
    while True:
        replica.behaviours.metrics()
        await asyncio.sleep(0.1)


async def run(kind: str | None, at_s: float, for_s: float, runner_dies: bool) -> Told:
    """A run with a fault in it, or without one."""
    replica = MemoryReplica()
    world, over = ReplicaWorld(replica), asyncio.Event()
    late: list[bytes] = []
    clients = [asyncio.create_task(client(replica, number, over, late)) for number in range(CLIENTS)]
    scraping = asyncio.create_task(scraper(replica))
    await asyncio.sleep(at_s)
    hits: int | None = None
    if kind is not None:
        fault = KINDS[kind].model_validate(SPECS[kind]).build("f1", ["tpu-0"], 7)
        await fault.inject(world)
        await fault.confirm(world)
        await asyncio.sleep(LEASE_S + 0.001 if runner_dies else for_s)
        if not runner_dies:
            hits = await fault.revert(world)
        await fault.verify(world)
        assert not world.armed
    over.set()
    await asyncio.gather(*clients)
    scraping.cancel()
    known = replica.behaviours.hits.get("f1")
    assert hits in (None, known)
    well = replica.healthy
    return Told(known, well, await replica.call("after", 0, 40), late)


_CALM: dict[str, Any] = {}


def calm() -> Told:
    """The same run with nothing wrong."""
    if not _CALM:
        _CALM["told"] = run_in_virtual_time(run(None, 0.0, 0.0, False))
    told: Told = _CALM["told"]
    return told


@pytest.mark.parametrize("kind", BEHAVIOURS)
@settings(max_examples=3, deadline=None)
@given(
    at_s=st.floats(0.0, 1.5),
    for_s=st.floats(0.8, 1.4),
    runner_dies=st.booleans(),
)
def test_a_fault_of_a_replica_is_confirmed_hits_and_is_undone_whenever_it_comes(
    kind: str, at_s: float, for_s: float, runner_dies: bool
) -> None:
    told = run_in_virtual_time(run(kind, at_s, for_s, runner_dies))
    if KINDS[kind].model_validate(SPECS[kind]).requests_share is None:
        assert told.hits
    assert told.well
    before = calm().after
    assert [data for _, data in told.after] == [data for _, data in before]
    assert [at for at, _ in told.after] == pytest.approx([at for at, _ in before], abs=1e-3)
    assert all(answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n") for answer in told.late)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(BEHAVIOURS)))
@settings(max_examples=10, deadline=None)
@given(at_s=st.floats(0, 10), for_s=st.floats(0, 10))
def test_any_other_fault_leaves_the_world_as_it_found_it(kind: str, at_s: float, for_s: float) -> None:
    async def story() -> None:
        world = MemoryWorld()
        spec = KINDS[kind].model_validate(SPECS[kind])
        fault = spec.build("f1", spec.select(REPLICAS, 7, "f1"), 7)
        await asyncio.sleep(at_s)
        await fault.inject(world)
        await fault.confirm(world)
        assert not world.healthy
        await asyncio.sleep(for_s)
        await fault.revert(world)
        await fault.verify(world)
        assert world.healthy
        assert not world.armed

    run_in_virtual_time(story())


def test_without_a_fault_every_answer_is_whole_and_the_replica_is_well() -> None:
    assert calm().well
    assert all(answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n") for answer in calm().late)
    assert calm().after[-1][1].endswith(b"0\r\n\r\n")
