"""`stuck_config`: the gateway ignores ejection, probes and breakers of some replicas."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.gateway.behaviours.base import Behaviour

__all__ = ["StuckConfig"]


class StuckConfig(Behaviour, frozen=True):
    """`replicas` get calls as if they were healthy."""

    replicas: Annotated[list[str], msgspec.Meta(min_length=1)]

    def check(self, replicas: frozenset[str]) -> None:
        """See `Behaviour.check`."""
        unknown = sorted(set(self.replicas) - replicas)
        if unknown:
            raise ValueError(f"unknown replica {', '.join(unknown)}; known replicas: {', '.join(sorted(replicas))}")

    @property
    def health_ignored_of(self) -> frozenset[str]:
        """See `Behaviour.health_ignored_of`."""
        return frozenset(self.replicas)
