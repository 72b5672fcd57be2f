"""What all faults of the load share: an order to the load generators, which expires when it is no longer repeated.

The collector repeats the orders in each answer to the load generators; `loadprofiles/demand/` carries them out.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from chaos.faults.base import Fault
from chaos.faults.spec import FaultSpec
from chaos.faults.world import ReplicaView, Undo, Unreachable, Where, World
from loadprofiles.demand import Order
from loadprofiles.sessions.profile import Profile
from reports.shared.attributes import TARGET_LOAD
from reports.shared.documents import did_you_mean

__all__ = ["LOAD_PROCESS", "DemandFault", "DemandSpec", "unknown_tenant"]

LOAD_PROCESS = "locust"


class DemandSpec(FaultSpec):
    """A fault of the load: it selects no replica, and works with a user's own endpoint too."""

    where: ClassVar[Where] = "load"

    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        return [TARGET_LOAD]

    def mistakes(self, profile: Profile) -> Iterator[tuple[str, str, str]]:
        """What does not match the profile: (key, what is wrong, what would be right)."""
        return iter(())

    @abstractmethod
    def params(self) -> dict[str, Any]: ...

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return DemandFault(Order(fault_id, self.kind, self.params(), seed))


def unknown_tenant(profile: Profile, name: str) -> Iterator[tuple[str, str, str]]:
    """The problem of a tenant that the profile does not have, if it is one."""
    tenants = [tenant.name for tenant in profile.tenants]
    if not tenants:
        yield "tenant", f"the profile {profile.name} has no tenants", "give it some, or name a profile that has"
    elif name not in tenants:
        yield "tenant", f'the profile {profile.name} has no tenant "{name}"', did_you_mean(name, tenants)


class DemandFault(Fault):
    """Confirmed when every load generator reports it; verified when none does, or when they are gone."""

    where: ClassVar[Where] = "load"

    def __init__(self, order: Order) -> None:
        super().__init__(order.id, order.kind, [TARGET_LOAD])
        self._order = order
        self._hits: int | None = None

    def undo(self, world: World) -> list[Undo]:
        return [{"do": "lapse", "process": LOAD_PROCESS}]

    async def inject_one(self, world: World, name: str) -> None:
        await world.order_demand(self._order)

    async def confirm_one(self, world: World, name: str) -> bool:
        return (await world.demand_state(self.id)).everywhere

    async def revert_one(self, world: World, name: str) -> int | None:
        await world.cancel_demand(self.id)

        async def over() -> bool:
            return not (await world.demand_state(self.id)).anywhere

        try:
            await world.until(over, self.verify_within_s, f"{self.kind} was cancelled, but is still active")
            self._hits = (await world.demand_state(self.id)).hits
        except Unreachable:
            pass
        return self._hits

    async def verify_one(self, world: World, name: str) -> bool:
        try:
            return not (await world.demand_state(self.id)).anywhere
        except Unreachable:
            return await world.state(LOAD_PROCESS) != "running"

    @property
    def verify_within_s(self) -> float:
        """More than the lease (5 s): a load generator that cannot be reached drops the order when the lease expires."""
        return 10.0
