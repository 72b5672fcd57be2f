"""Configuration of what the operator changed on a running gateway (`targets.gateway.operations` carries it out)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from targets.gateway.config.checks import FORBID

__all__ = ["Operations"]


@dataclass(frozen=True, slots=True)
class Operations:
    """The whole state that the operator wants; without an entry, the gateway is as its configuration says.

    `drained`: pools whose replicas get no new attempt. `shed`: tiers whose requests are refused. `policies`: names of
    switches in the order in which they are applied, at most one of each policy. `added`: reserve pools that take part.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    drained: tuple[str, ...] = ()
    shed: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("drained", "shed", "policies", "added"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} names the same entry twice")
