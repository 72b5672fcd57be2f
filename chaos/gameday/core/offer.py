"""What people can choose in an exercise. It depends on the target and the load, and never on the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.faults.world import ReplicaView
from chaos.gameday.core.operations import Operation

__all__ = ["Offer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the target and the load offer.

    `components`: id and label of each, for beliefs. `tenants`: the tier of each tenant, "" for none. `profiles`: those
    that the game master can start. `catalogue`: see `chaos.gameday.core.catalogue`.
    """

    components: tuple[tuple[str, str], ...] = ()
    operations: tuple[Operation, ...] = ()
    replicas: Mapping[str, ReplicaView] = field(default_factory=dict)
    tenants: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    catalogue: tuple[Mapping[str, Any], ...] = ()

    def operation(self, name: str) -> Operation | None:
        """The operation of this id; None: there is none."""
        return next((one for one in self.operations if one.id == name), None)

    def choices(self, name: str) -> tuple[str, ...]:
        """What the only argument of an operation may be; empty where the target does not have it."""
        found = self.operation(name)
        if found is None or not found.possible or not found.arguments:
            return ()
        return found.arguments[0].choices
