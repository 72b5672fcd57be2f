"""The behaviours that are on now: their leases, which requests they hit, and how many they have hit.

A lease that is not renewed ends the behaviour here, in the replica, whatever has become of who put it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from math import prod
from typing import Any, Final, Protocol

import msgspec

from targets.replica.behaviours import BEHAVIOURS
from targets.replica.behaviours.base import (
    ActsInStream,
    AnswersRequest,
    Behaviour,
    CannedAnswer,
    DelaysRequest,
    SlowsEngine,
)
from targets.replica.driver import TimerHandle
from targets.replica.stream import AnswerStream

__all__ = ["ActiveBehaviours", "BehaviourError", "Hit", "Visit", "fraction"]

_WHOLE: Final = 2**64


class BehaviourError(ValueError):
    """A kind that does not exist, or parameters that it does not take."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A behaviour met a request, at a time in the replica's monotonic seconds."""

    fault_id: str
    kind: str
    at: float


@dataclass(slots=True)
class Visit:
    """One request, as the behaviours see it: the key that decides shares, its stream once it has one, its hits."""

    key: str
    hits: list[Hit] = field(default_factory=list)
    stream: AnswerStream | None = None


class CallLater(Protocol):
    """`loop.call_later`."""

    def __call__(self, delay: float, callback: Callable[..., object], /, *args: Any) -> TimerHandle:
        """Call back after `delay` seconds."""


@dataclass(slots=True)
class _Entry:
    fault_id: str
    kind: str
    behaviour: Behaviour
    share: float | None
    seed: int
    lease_s: float
    expires_at: float
    timer: TimerHandle | None = None

    def takes(self, key: str) -> bool:
        return self.share is None or fraction(self.seed, self.fault_id, key) < self.share


@dataclass(frozen=True, slots=True)
class _StreamPoint:
    """Where a behaviour waits for one stream."""

    owner: ActiveBehaviours
    entry: _Entry
    behaviour: ActsInStream
    visit: Visit

    @property
    def after_tokens(self) -> int:
        return self.behaviour.after_tokens

    @property
    def fault_id(self) -> str:
        return self.entry.fault_id

    def reached(self, stream: AnswerStream) -> None:
        self.owner.note(self.entry, self.visit)
        self.behaviour.act(stream, self.entry.fault_id)


class ActiveBehaviours:
    """All behaviours of one replica. `set_decode_factor` is told the product of what slows the engine."""

    def __init__(
        self, *, clock: Callable[[], float], call_later: CallLater, set_decode_factor: Callable[[float], None]
    ) -> None:
        self.hits: dict[str, int] = {}
        self._clock = clock
        self._call_later = call_later
        self._set_decode_factor = set_decode_factor
        self._entries: dict[str, _Entry] = {}
        self._visits: dict[int, Visit] = {}

    def put(
        self, fault_id: str, kind: str, params: Mapping[str, Any], *, share: float | None, seed: int, lease_s: float
    ) -> None:
        """Put a behaviour on, instead of one of the same id. Streams under way are met as new ones are.

        Raises `BehaviourError`.
        """
        known = BEHAVIOURS.get(kind)
        if known is None:
            raise BehaviourError(f"no behaviour {kind!r}; there are {', '.join(BEHAVIOURS)}")
        try:
            behaviour = msgspec.convert(dict(params), known)
        except msgspec.ValidationError as error:
            raise BehaviourError(f"{kind}: {error}") from None
        if share is not None and isinstance(behaviour, SlowsEngine):
            raise BehaviourError(f"{kind} slows the whole engine: it takes no share")
        self._take_off(fault_id, flush=False)  # what the old one held is the new one's to hold or let go
        entry = _Entry(fault_id, kind, behaviour, share, seed, lease_s, expires_at=0.0)
        self._entries[fault_id] = entry
        self.hits.setdefault(fault_id, 0)
        self._lease(entry)
        if isinstance(behaviour, SlowsEngine):
            self._slow()
        for visit in list(self._visits.values()):
            self._meet(entry, visit)
            if visit.stream is not None:
                visit.stream.flush()

    def renew(self, fault_ids: Iterable[str]) -> list[str]:
        """Renew leases; returns the ids that are still on."""
        renewed = [fault_id for fault_id in fault_ids if fault_id in self._entries]
        for fault_id in renewed:
            self._lease(self._entries[fault_id])
        return renewed

    def remove(self, fault_id: str) -> int:
        """Take a behaviour off; what it holds goes on. Returns its hits (0 for an unknown one)."""
        self._take_off(fault_id, flush=True)
        return self.hits.get(fault_id, 0)

    def _take_off(self, fault_id: str, *, flush: bool) -> None:
        entry = self._entries.pop(fault_id, None)
        if entry is not None:
            if entry.timer is not None:
                entry.timer.cancel()
            if isinstance(entry.behaviour, SlowsEngine):
                self._slow()
            for visit in list(self._visits.values()):
                if visit.stream is not None:
                    visit.stream.forget(fault_id, flush=flush)

    def close(self) -> None:
        """Take all off."""
        for fault_id in list(self._entries):
            self.remove(fault_id)

    def listing(self) -> dict[str, dict[str, Any]]:
        """What is on, by id, as `GET /behaviours` answers it."""
        now = self._clock()
        return {
            entry.fault_id: {
                "kind": entry.kind,
                "hits": self.hits[entry.fault_id],
                "expires_in_s": round(max(0.0, entry.expires_at - now), 3),
            }
            for entry in self._entries.values()
        }

    def before(self, visit: Visit) -> tuple[float, CannedAnswer | None]:
        """A request has come: seconds that it has to wait, and what it is answered then, if not by the engine."""
        delay_s = 0.0
        answer: CannedAnswer | None = None
        for entry in self._entries.values():
            behaviour = entry.behaviour
            if isinstance(behaviour, DelaysRequest) and entry.takes(visit.key):
                delay_s += behaviour.delay_s(fraction(entry.seed, entry.fault_id, f"{visit.key}/jitter"))
                self.note(entry, visit)
            elif answer is None and isinstance(behaviour, AnswersRequest) and entry.takes(visit.key):
                answer = behaviour.answer()
                self.note(entry, visit)
        return delay_s, answer

    def enter(self, visit: Visit) -> None:
        """The request goes to the engine, with a stream."""
        self._visits[id(visit)] = visit
        for entry in list(self._entries.values()):
            self._meet(entry, visit)

    def leave(self, visit: Visit) -> None:
        """The request is over. Idempotent."""
        self._visits.pop(id(visit), None)

    def note(self, entry: _Entry, visit: Visit) -> None:
        """Count a hit."""
        self.hits[entry.fault_id] += 1
        visit.hits.append(Hit(entry.fault_id, entry.kind, self._clock()))

    def _meet(self, entry: _Entry, visit: Visit) -> None:
        behaviour = entry.behaviour
        if isinstance(behaviour, SlowsEngine):
            self.note(entry, visit)
        elif isinstance(behaviour, ActsInStream) and visit.stream is not None and entry.takes(visit.key):
            visit.stream.add_point(_StreamPoint(self, entry, behaviour, visit))

    def _lease(self, entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        entry.expires_at = self._clock() + entry.lease_s
        entry.timer = self._call_later(entry.lease_s, self.remove, entry.fault_id)

    def _slow(self) -> None:
        slowing = [entry.behaviour for entry in self._entries.values()]
        self._set_decode_factor(prod(each.decode_factor for each in slowing if isinstance(each, SlowsEngine)))


def fraction(seed: int, fault_id: str, key: str) -> float:
    """Where in [0, 1) a request falls for a fault: the same in every run with this seed."""
    digest = blake2b(f"{seed}/{fault_id}/{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _WHOLE
