"""The reserve of a stack: pools whose replicas are started when an operator adds them, with a cold start."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Final

from chaos.by_hand.control import Say
from chaos.by_hand.operations import HandOperations
from chaos.by_hand.processes import READY_WITHIN_S, wait_until_ready
from chaos.runner.deployment import GATEWAY
from chaos.runner.live_world import LiveWorld
from chaos.runner.setup import Setup
from reports.shared.errors import TargetFailed
from targets.gateway.config import Operations
from targets.stack import Pool

__all__ = ["Reserve", "operations_of"]

GRACE_S: Final = 5.0
"""How long replicas that are taken away may go on with what they have, seconds."""


@dataclass(slots=True)
class Reserve:
    """Starts and ends the processes of reserve pools. `ordered` has the names whose end was ordered."""

    setup: Setup
    world: LiveWorld
    ordered: set[str] = field(default_factory=set)

    def names(self, pool: str) -> list[str]:
        """The replicas of a reserve pool."""
        deployment = self.setup.deployment
        assert deployment is not None
        return [name for name, address in deployment.reserve.items() if address.view.pool == pool]

    async def start(self, pool: Pool, say: Say) -> None:
        """Start its replicas, and wait until all are ready: faults can select them then. Raises TargetFailed."""
        deployment, names, cold_start_s = self.setup.deployment, self.names(pool.name), pool.reserve_s or 0.0
        assert deployment is not None
        say(f"{', '.join(names)}: starting, ready in about {cold_start_s:g} s")
        urls = {name: deployment.replica_url(name) for name in names}
        try:
            async with asyncio.timeout(cold_start_s + READY_WITHIN_S):
                await asyncio.gather(*(self.setup.start_again(name, cold_start_s) for name in names))
                await wait_until_ready(self.setup, urls)
        except TimeoutError:
            raise TargetFailed(f"{', '.join(names)}: not ready after {cold_start_s + READY_WITHIN_S:g} s") from None
        self.world.add_replicas(deployment.add(pool.name))

    async def stop(self, pool: Pool) -> None:
        """End its replicas: they may finish what they have, for a few seconds."""
        deployment, names = self.setup.deployment, self.names(pool.name)
        assert deployment is not None
        self.world.remove_replicas(names)
        deployment.take_away(pool.name)
        self.ordered.update(names)
        supervisor = self.setup.supervisor
        try:
            there = [name for name in names if supervisor.state(name) != "gone"]
            await asyncio.gather(*(supervisor.stop(name, GRACE_S) for name in there))
        finally:
            self.ordered.difference_update(names)


def operations_of(setup: Setup, world: LiveWorld, ordered: set[str] | None = None) -> HandOperations:
    """The operations on the stack of a setup with the reference gateway. `ordered`: see `Reserve`."""
    deployment = setup.deployment
    assert deployment is not None

    async def send(operations: Operations) -> None:
        await world.operate(asdict(operations))
        deployment.operations = operations

    return HandOperations(
        deployment.stack,
        send,
        lambda: world.is_gone(GATEWAY),
        Reserve(setup, world, ordered if ordered is not None else set()) if deployment.reserve else None,
    )
