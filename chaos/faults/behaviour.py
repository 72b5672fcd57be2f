"""The lifecycle that all faults inside a replica share: a behaviour put on over the control port, kept on a lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaos.faults.base import Fault, Stage, Undo, Unreachable

__all__ = ["BehaviourFault"]


class BehaviourFault(Fault):
    """A behaviour of the replicas. What a replica does under it is in `targets/replica/behaviours/`.

    A replica that dies or is started again has lost the behaviour and its count of hits; one that is frozen drops it by
    its lease as soon as it moves again.
    """

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

    def undo(self, stage: Stage) -> list[Undo]:
        return [
            {"do": "request", "method": "DELETE", "url": stage.undo_behaviour(name, self.id), "process": name}
            for name in self.targets
        ]

    async def strike(self, stage: Stage, name: str) -> None:
        await stage.behave(name, self.id, dict(self._body))

    async def struck(self, stage: Stage, name: str) -> bool:
        return self.id in await stage.behaviours(name)

    async def heal(self, stage: Stage, name: str) -> int | None:
        try:
            hits = await stage.unbehave(name, self.id)
        except Unreachable:
            return self._hits.get(name)
        # A second DELETE finds nothing and answers 0: what the first one answered still holds.
        self._hits[name] = max(hits, self._hits.get(name, 0))
        return self._hits[name]

    async def healed(self, stage: Stage, name: str) -> bool:
        try:
            return self.id not in await stage.behaviours(name)
        except Unreachable:
            return await stage.state(name) != "running"

    @property
    def healed_within_s(self) -> float:
        """Past the lease (5 s): a replica that could not be told drops it by itself."""
        return 10.0
