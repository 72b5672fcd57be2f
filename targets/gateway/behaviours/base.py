"""What a behaviour of the gateway may be."""

from __future__ import annotations

import msgspec

__all__ = ["Behaviour"]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct whose fields are the parameters, checked where they are decoded."""

    def check(self, replicas: frozenset[str]) -> None:
        """Raises ValueError where the parameters do not fit a gateway of these replicas."""

    @property
    def decision_s(self) -> float:
        """How much longer each decision takes, one after another; seconds."""
        return 0.0

    @property
    def stall_s(self) -> float:
        """How long no decision is made, from when it is put on; seconds."""
        return 0.0

    @property
    def stuck(self) -> frozenset[str]:
        """The replicas of which what is known of their health is ignored."""
        return frozenset()
