"""Traits of a kind of fault that the analysis needs. The runner writes them into the record.

They are declared with the kind (`chaos.faults.spec.FaultSpec`). Records of older versions contain none: only for those,
`TRAITS_OF_OLD_RECORDS` holds the traits of the kinds of that time. It is frozen: a new kind never needs an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeAlias

__all__ = ["TRAITS_OF_OLD_RECORDS", "FaultTraits", "Where", "traits_of"]

Where: TypeAlias = Literal["process", "replica", "gateway", "load", "system"]
"""The place in the stack where a fault acts."""


@dataclass(frozen=True, slots=True)
class FaultTraits:
    """Traits of a kind of fault.

    `where`: the place where it acts. `stops_process`: its targets do not respond while it is active. `silences_calls`:
    calls that stay with a target receive nothing for a while. `loses_spans`: its targets end without exporting their
    last spans. `reclaims_hardware`: the provider takes the hardware back, so that it is not paid for meanwhile.
    """

    where: Where = "replica"
    stops_process: bool = False
    silences_calls: bool = False
    loses_spans: bool = False
    reclaims_hardware: bool = False

    @property
    def on_replicas(self) -> bool:
        """Whether it acts on replicas, and not on the gateway, the load or the user's system."""
        return self.where in ("process", "replica")

    @property
    def hits_are_known(self) -> bool:
        """Whether brownout can tell which calls it met; not of what a command does to the user's system."""
        return self.where != "system"

    def recorded(self) -> dict[str, Any]:
        """As the record writes them: a JSON object."""
        return asdict(self)


TRAITS_OF_OLD_RECORDS: Final[Mapping[str, FaultTraits]] = {
    "kill": FaultTraits("process", stops_process=True, loses_spans=True),
    "freeze": FaultTraits("process", stops_process=True, silences_calls=True),
    "restart": FaultTraits("process", stops_process=True),
    "terminate": FaultTraits("process", stops_process=True, reclaims_hardware=True),
    "flap": FaultTraits("process", stops_process=True, loses_spans=True),
    "stall": FaultTraits(silences_calls=True),
    "slow_headers": FaultTraits(silences_calls=True),
    "never_answer": FaultTraits(silences_calls=True),
    "slow_tokens": FaultTraits(silences_calls=True),
    "trickle": FaultTraits(silences_calls=True),
    "lying_health": FaultTraits(silences_calls=True),
    "slow_scheduler": FaultTraits("gateway"),
    "stuck_config": FaultTraits("gateway"),
    "surge": FaultTraits("load"),
    "heavy_tenant": FaultTraits("load"),
    "long_reasoning": FaultTraits("load"),
    "retry_storm": FaultTraits("load"),
}
"""Frozen. Kinds that are not in it acted inside a replica and had no other trait."""

_NAMES: Final = frozenset(field.name for field in fields(FaultTraits))


def traits_of(kind: str, recorded: Mapping[str, Any] | None) -> FaultTraits:
    """The traits of a recorded fault: as recorded, else those that its kind had when records held none.

    Traits with unknown names, of a newer version, are left out.
    """
    if recorded is None:
        return TRAITS_OF_OLD_RECORDS.get(kind, FaultTraits())
    return FaultTraits(**{name: value for name, value in recorded.items() if name in _NAMES})
