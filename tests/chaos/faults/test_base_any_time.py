"""Each kind of fault at any time of a run: confirmed, hits, is undone, and the target is as before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache

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
class Outcome:
    """What a run left. `after`: the writes of one call at the end; `late`: bodies of calls sent after the revert."""

    hits: int | None
    healthy: bool
    after: list[tuple[float, bytes]]
    late: list[bytes]


async def client(replica: MemoryReplica, number: int, reverted: asyncio.Event, late: list[bytes]) -> None:
    """Send one call after another until the load ends."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LOAD_S
    turn = 0
    while loop.time() < end:
        sent_after = reverted.is_set()
        writes = await replica.call(f"c{number}", turn, TOKENS[(number + turn) % len(TOKENS)])
        if sent_after:
            late.append(b"".join(data for _, data in writes))
        turn += 1
        await asyncio.sleep(0.01 * (number + 1))


async def scraper(replica: MemoryReplica) -> None:
    """Read `/metrics` periodically."""
    while True:
        replica.behaviours.metrics()
        await asyncio.sleep(0.1)


async def run(kind: str | None, at_s: float, for_s: float, runner_dies: bool) -> Outcome:
    """A run with a fault, or without one. `runner_dies`: the fault ends when its lease expires."""
    replica = MemoryReplica()
    world, reverted = ReplicaWorld(replica), asyncio.Event()
    late: list[bytes] = []
    clients = [asyncio.create_task(client(replica, number, reverted, late)) for number in range(CLIENTS)]
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
    reverted.set()
    await asyncio.gather(*clients)
    scraping.cancel()
    known = replica.behaviours.hits.get("f1")
    assert hits in (None, known)
    healthy = replica.healthy
    return Outcome(known, healthy, await replica.call("after", 0, 40), late)


@cache
def without_fault() -> Outcome:
    """The same run without a fault."""
    return run_in_virtual_time(run(None, 0.0, 0.0, False))


@pytest.mark.parametrize("kind", BEHAVIOURS)
@settings(max_examples=3, deadline=None)
@given(
    at_s=st.floats(0.0, 1.5),
    for_s=st.floats(0.8, 1.4),
    runner_dies=st.booleans(),
)
def test_a_fault_inside_a_replica_is_confirmed_hits_and_is_undone_at_any_time(
    kind: str, at_s: float, for_s: float, runner_dies: bool
) -> None:
    outcome = run_in_virtual_time(run(kind, at_s, for_s, runner_dies))
    if KINDS[kind].model_validate(SPECS[kind]).requests_share is None:
        assert outcome.hits
    assert outcome.healthy
    before = without_fault().after
    assert [data for _, data in outcome.after] == [data for _, data in before]
    assert [at for at, _ in outcome.after] == pytest.approx([at for at, _ in before], abs=1e-3)
    assert all(answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n") for answer in outcome.late)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(BEHAVIOURS)))
@settings(max_examples=10, deadline=None)
@given(at_s=st.floats(0, 10), for_s=st.floats(0, 10))
def test_any_other_fault_leaves_the_world_as_it_was(kind: str, at_s: float, for_s: float) -> None:
    async def scenario() -> None:
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

    run_in_virtual_time(scenario())


def test_without_a_fault_every_answer_is_complete_and_the_replica_healthy() -> None:
    assert without_fault().healthy
    assert all(answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n") for answer in without_fault().late)
    assert without_fault().after[-1][1].endswith(b"0\r\n\r\n")
