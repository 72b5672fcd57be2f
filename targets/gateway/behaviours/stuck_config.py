"""`stuck_config`: the gateway keeps replicas in its list, whatever it knows of them: ejection, probes, breakers."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.gateway.behaviours.base import Behaviour

__all__ = ["StuckConfig"]


class StuckConfig(Behaviour, frozen=True):
    """`replicas` get calls as if they were well."""

    replicas: Annotated[list[str], msgspec.Meta(min_length=1)]

    def check(self, replicas: frozenset[str]) -> None:
        """See `Behaviour.check`."""
        unknown = sorted(set(self.replicas) - replicas)
        if unknown:
            raise ValueError(f"no replica {', '.join(unknown)}; there are: {', '.join(sorted(replicas))}")

    @property
    def stuck(self) -> frozenset[str]:
        """See `Behaviour.stuck`."""
        return frozenset(self.replicas)
