"""The lifecycle that all demand faults share: an order to the load generators, on the lease of the collector's answers.

What a load does under an order is in `loadprofiles/demand/`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from chaos.faults.base import Fault, ReplicaView, Stage, Undo, Unreachable
from chaos.faults.spec import FaultSpec
from loadprofiles.demand import Order
from loadprofiles.sessions.profile import Profile
from reports.shared.attributes import TARGET_LOAD
from reports.shared.documents import did_you_mean

__all__ = ["LOAD_PROCESS", "DemandFault", "DemandSpec", "unknown_tenant"]

LOAD_PROCESS = "locust"


class DemandSpec(FaultSpec):
    """A fault of the load: it takes no replica, and works on an endpoint of the user's own too."""

    of_load: ClassVar[bool] = True

    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        return [TARGET_LOAD]

    def mistakes(self, profile: Profile) -> Iterator[tuple[str, str, str]]:
        """What does not fit the profile: (key, what is wrong, what would be right)."""
        return iter(())

    @abstractmethod
    def params(self) -> dict[str, Any]: ...

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return DemandFault(Order(fault_id, self.kind, self.params(), seed))


def unknown_tenant(profile: Profile, name: str) -> Iterator[tuple[str, str, str]]:
    """The mistake of a tenant that the profile does not have."""
    tenants = [tenant.name for tenant in profile.tenants]
    if not tenants:
        yield "tenant", f"the profile {profile.name} has no tenants", "give it some, or name a profile that has"
    elif name not in tenants:
        yield "tenant", f'the profile {profile.name} has no tenant "{name}"', did_you_mean(name, tenants)


class DemandFault(Fault):
    """On when every load generator says so; off when none does, or when they are gone."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.id, order.kind, [TARGET_LOAD])
        self._order = order
        self._hits: int | None = None

    def undo(self, stage: Stage) -> list[Undo]:
        return [{"do": "lapse", "process": LOAD_PROCESS}]

    async def strike(self, stage: Stage, name: str) -> None:
        await stage.order(self._order)

    async def struck(self, stage: Stage, name: str) -> bool:
        return (await stage.ordered(self.id)).everywhere

    async def heal(self, stage: Stage, name: str) -> int | None:
        await stage.unorder(self.id)

        async def over() -> bool:
            return not (await stage.ordered(self.id)).anywhere

        try:
            await stage.until(over, self.healed_within_s, f"{self.kind} is taken off, but still on")
            self._hits = (await stage.ordered(self.id)).hits
        except Unreachable:
            pass
        return self._hits

    async def healed(self, stage: Stage, name: str) -> bool:
        try:
            return not (await stage.ordered(self.id)).anywhere
        except Unreachable:
            return await stage.state(LOAD_PROCESS) != "running"

    @property
    def healed_within_s(self) -> float:
        """Past the lease (5 s): a load generator that could not be told drops it by itself."""
        return 10.0
