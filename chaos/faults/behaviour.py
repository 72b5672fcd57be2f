"""What all faults inside a replica or the gateway share: a behaviour added over the control port, under a lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from chaos.faults.base import Fault
from chaos.faults.world import Undo, Unreachable, Where, World

__all__ = ["BehaviourFault", "GatewayBehaviourFault"]


class BehaviourFault(Fault):
    """A behaviour inside replicas; `targets/replica/behaviours/` implements it.

    A replica that dies or restarts has lost the behaviour and its count of hits; a frozen one drops the behaviour
    when it runs again, because the lease has expired.
    """

    where: ClassVar[Where] = "replica"

    def __init__(
        self,
        fault_id: str,
        kind: str,
        targets: Sequence[str],
        params: dict[str, Any],
        share: float | None,
        seed: int,
        only: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(fault_id, kind, targets)
        self._body = {"kind": kind, "params": params, "share": share, "seed": seed, "only": dict(only or {})}
        self._hits: dict[str, int] = {}

    def undo(self, world: World) -> list[Undo]:
        return [
            {"do": "request", "method": "DELETE", "url": world.behaviour_url(name, self.id), "process": name}
            for name in self.targets
        ]

    async def inject_one(self, world: World, name: str) -> None:
        await world.add_behaviour(name, self.id, dict(self._body))

    async def confirm_one(self, world: World, name: str) -> bool:
        return self.id in await world.behaviours(name)

    async def revert_one(self, world: World, name: str) -> int | None:
        try:
            hits = await world.remove_behaviour(name, self.id)
        except Unreachable:
            return self._hits.get(name)
        # A second DELETE finds nothing and returns 0: the first count remains valid.
        self._hits[name] = max(hits, self._hits.get(name, 0))
        return self._hits[name]

    async def verify_one(self, world: World, name: str) -> bool:
        try:
            return self.id not in await world.behaviours(name)
        except Unreachable:
            return await world.state(name) != "running"

    @property
    def verify_within_s(self) -> float:
        """More than the lease (5 s): a replica that cannot be reached drops the behaviour when the lease expires."""
        return 10.0


class GatewayBehaviourFault(BehaviourFault):
    """A behaviour of the gateway, over its control port; `targets/gateway/behaviours/` implements it."""

    where: ClassVar[Where] = "gateway"
