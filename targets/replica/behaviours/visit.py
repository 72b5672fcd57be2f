"""One request as the behaviours see it, and one behaviour that is on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from targets.replica.behaviours.base import Behaviour
from targets.replica.behaviours.only import EVERY_REQUEST, Only, fraction
from targets.replica.delivery.driver import TimerHandle
from targets.replica.delivery.stream import AnswerStream

__all__ = ["Entry", "Hit", "Visit"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A behaviour met a request, at a time in the replica's monotonic seconds."""

    fault_id: str
    kind: str
    at: float


@dataclass(slots=True)
class Visit:
    """One request: the key that decides shares, what selectors look at, its stream once it has one, its hits."""

    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    hits: list[Hit] = field(default_factory=list)
    stream: AnswerStream | None = None
    places: dict[str, int] = field(default_factory=dict)  # by fault: which of the requests since its beginning, from 1


@dataclass(slots=True)
class Entry:
    """One behaviour that is on."""

    fault_id: str
    kind: str
    behaviour: Behaviour
    share: float | None
    seed: int
    lease_s: float
    only: Only = EVERY_REQUEST
    expires_at: float = 0.0
    seen: int = 0  # requests that fit since it is on
    met: int = 0  # those it has hit
    timer: TimerHandle | None = None
    pulse: TimerHandle | None = None
    waiting: list[asyncio.Future[None]] = field(default_factory=list)  # requests that it holds
    metrics: bytes = b""  # `/metrics` when it was put on

    def count(self, visit: Visit) -> None:
        """A request has come."""
        if self.only.fits(visit.headers, visit.model):
            self.seen += 1
            visit.places[self.fault_id] = self.seen

    def takes(self, visit: Visit) -> bool:
        """Whether a request is one of those that it hits."""
        only = self.only
        return (
            (not only.after_requests or visit.places.get(self.fault_id, 0) > only.after_requests)
            and (only.at_most is None or self.met < only.at_most)
            and only.fits(visit.headers, visit.model)
            and (self.share is None or fraction(self.seed, self.fault_id, visit.key) < self.share)
        )

    def let_go(self) -> None:
        """It is off: its timers are gone, and the requests that it holds go on."""
        for timer in (self.timer, self.pulse):
            if timer is not None:
                timer.cancel()
        self.timer = self.pulse = None
        for future in self.waiting:
            if not future.done():
                future.set_result(None)
        self.waiting.clear()
