"""What the statistics of a real gateway said during a run (`docs/wire.md`, event `upstreams`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["GatewayStatistics", "UpstreamPost", "read_statistics"]


@dataclass(frozen=True, slots=True)
class UpstreamPost:
    """One replica as the gateway saw it, counts since its start. None: it does not tell.

    `refused`: those of the `attempts` for which there was no connection. `available`: whether it may be chosen.
    """

    attempts: int | None
    refused: int | None
    available: bool | None


@dataclass(frozen=True, slots=True)
class GatewayStatistics:
    """The replicas by name, at `at_s` seconds since zero and until the next one.

    `exact`: whether the counts of refused attempts are; if not, they may be too low.
    """

    at_s: float
    at_ns: int
    replicas: Mapping[str, UpstreamPost]
    exact: bool = True

    @property
    def refused(self) -> int | None:
        """Attempts that were refused so far, at all replicas together; None where the gateway does not tell."""
        counts = [post.refused for post in self.replicas.values()]
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None


def read_statistics(events: Iterable[Mapping[str, Any]], zero_ns: int) -> list[GatewayStatistics]:
    """The events in the order written."""
    return [
        GatewayStatistics(
            (int(event["at"]) - zero_ns) / 1e9,
            int(event["at"]),
            {
                str(name): UpstreamPost(state.get("attempts"), state.get("refused"), state.get("available"))
                for name, state in event["states"].items()
            },
            event.get("exact") is not False,  # records of before this field was there: exact
        )
        for event in events
        if event.get("type") == "upstreams"
    ]
