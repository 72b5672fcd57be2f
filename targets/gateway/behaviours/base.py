"""The interface of a behaviour of the gateway."""

from __future__ import annotations

import msgspec

__all__ = ["Behaviour"]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct of parameters, which are checked when they are decoded."""

    def check(self, replicas: frozenset[str]) -> None:
        """Raises ValueError if the parameters do not fit a gateway with these replicas."""

    @property
    def decision_s(self) -> float:
        """Additional time of each routing decision, made one at a time (seconds)."""
        return 0.0

    @property
    def stall_s(self) -> float:
        """Time without any routing decision, from the activation on (seconds)."""
        return 0.0

    @property
    def health_ignored_of(self) -> frozenset[str]:
        """The replicas whose health is ignored."""
        return frozenset()
