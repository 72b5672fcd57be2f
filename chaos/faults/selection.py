"""Which replicas a fault affects: the selectors of an experiment file, and the seeded choice that they describe.
Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from chaos.faults.world import ReplicaView
from reports.shared.documents import Mistake, did_you_mean
from reports.shared.draws import bits

__all__ = ["COUNTS", "Names", "Selector", "how_many", "unknown_names"]

Count: TypeAlias = Literal["one", "minority", "majority", "all"]

COUNTS: Final[dict[Count, Callable[[int], int]]] = {
    "one": lambda of: 1,
    "minority": lambda of: max(1, (of - 1) // 2),
    "majority": lambda of: of // 2 + 1,
    "all": lambda of: of,
}
"""How many of a number of replicas, 1 or more."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    list[str],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One name, or a list of names."""


class Selector(BaseModel):
    """Which replicas: those that match `pool`, `cloud` and `replica` (all that are given), and how many of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pool: Names | None = Field(default=None, description="a pool of the stack, or a list of them")
    replica: Names | None = Field(default=None, description="a replica, as tpu-0, or a list of them")
    cloud: Names | None = Field(default=None, description="a cloud of the stack, or a list of them")
    count: Count = Field(
        default="all", description="how many of them, drawn by the seed: one, minority, majority or all"
    )

    @model_validator(mode="after")
    def _selects_something(self) -> Selector:
        if not self.model_fields_set & {"pool", "replica", "cloud", "count"}:
            raise Mistake("selects no replica", "add pool:, replica: or cloud:; for the whole fleet, count: all")
        return self

    def candidates(self, replicas: Iterable[ReplicaView]) -> list[ReplicaView]:
        """The replicas that match, before `count`."""
        return [
            replica
            for replica in replicas
            if (self.pool is None or replica.pool in self.pool)
            and (self.cloud is None or replica.cloud in self.cloud)
            and (self.replica is None or replica.name in self.replica)
        ]

    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        """The selected names, in the stack's order: a function of the seed and the fault's id alone."""
        names = [replica.name for replica in self.candidates(replicas)]

        def rank(name: str) -> int:
            return bits(f"{seed}/{fault_id}/target/{name}")

        drawn = set(sorted(names, key=rank)[: how_many(self.count, len(names))])
        return [name for name in names if name in drawn]


def how_many(count: Count, of: int) -> int:
    """How many of `of` replicas: a minority is less than half of them (at least one), a majority more than half."""
    if of == 0:
        return 0
    return COUNTS[count](of)


def unknown_names(selector: Selector, replicas: Sequence[ReplicaView]) -> list[tuple[str, str, str]]:
    """Selected names that the stack does not have: (key, what is wrong, what would be right)."""
    known = {
        "pool": {replica.pool for replica in replicas},
        "replica": {replica.name for replica in replicas},
        "cloud": {replica.cloud for replica in replicas},
    }
    return [
        (key, f'the stack has no {key} "{name}"', did_you_mean(name, names))
        for key, names in known.items()
        for name in getattr(selector, key) or ()
        if name not in names
    ]
