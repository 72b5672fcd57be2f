"""One request as the behaviours see it, with the hits on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from targets.replica.delivery.stream import OutgoingStream

__all__ = ["Hit", "RequestContext"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A behaviour hit a request, at a time in the replica's monotonic seconds."""

    fault_id: str
    kind: str
    at: float


@dataclass(slots=True)
class RequestContext:
    """One request: the key of its share draws, what selectors match, its stream once it has one, its hits."""

    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    hits: list[Hit] = field(default_factory=list)
    stream: OutgoingStream | None = None
    ordinals: dict[str, int] = field(default_factory=dict)
    """By fault id: the number of this request among the matching ones since the PUT, from 1."""
