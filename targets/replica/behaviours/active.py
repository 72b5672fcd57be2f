"""The behaviours that are on now: their leases, which requests they hit, and how many they have hit.

A lease that is not renewed ends the behaviour here, in the replica, whatever has become of who put it on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, Protocol

import msgspec

from targets.control import BehaviourError
from targets.replica.behaviours import BEHAVIOURS
from targets.replica.behaviours.base import (
    ActsInStream,
    AnswersMetrics,
    AnswersRequest,
    CannedAnswer,
    DelaysRequest,
    EngineControls,
    EngineLimits,
    HoldsRequest,
    LimitsEngine,
    PulsesEngine,
    VouchesForHealth,
)
from targets.replica.behaviours.only import EVERY_REQUEST, Only, fraction
from targets.replica.behaviours.visit import Entry, Hit, Visit
from targets.replica.delivery.driver import TimerHandle
from targets.replica.delivery.stream import AnswerStream

__all__ = ["ActiveBehaviours"]


class CallLater(Protocol):
    """`loop.call_later`."""

    def __call__(self, delay: float, callback: Callable[..., object], /, *args: Any) -> TimerHandle:
        """Call back after `delay` seconds."""


@dataclass(frozen=True, slots=True)
class _StreamPoint:
    """Where a behaviour waits for one stream."""

    owner: ActiveBehaviours
    entry: Entry
    behaviour: ActsInStream
    visit: Visit
    after_tokens: int

    @property
    def fault_id(self) -> str:
        return self.entry.fault_id

    def reached(self, stream: AnswerStream) -> None:
        if not self.entry.takes(self.visit) or (self.entry.only.phase == "prefill" and stream.sent):
            return
        self.owner.note(self.entry, self.visit)
        self.behaviour.act(stream, self.entry.fault_id)


class ActiveBehaviours:
    """All behaviours of one replica. `engine` is what is left to them; `metrics` makes the true `/metrics`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        call_later: CallLater,
        engine: EngineControls,
        metrics: Callable[[], bytes] = bytes,
    ) -> None:
        self.hits: dict[str, int] = {}
        self._clock = clock
        self._call_later = call_later
        self._engine = engine
        self._metrics = metrics
        self._limits = EngineLimits()
        self._entries: dict[str, Entry] = {}
        self._visits: dict[int, Visit] = {}

    def put(
        self,
        fault_id: str,
        kind: str,
        params: Mapping[str, Any],
        *,
        share: float | None,
        seed: int,
        lease_s: float,
        only: Only = EVERY_REQUEST,
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
        if known.whole_replica and (share is not None or only != EVERY_REQUEST):
            raise BehaviourError(f"{kind} takes the replica as a whole: it takes no share, and no selector of requests")
        if only.phase is not None and not isinstance(behaviour, ActsInStream):
            raise BehaviourError(f"{kind} meets a request before its stream begins: it takes no phase")
        self._take_off(fault_id, flush=False)  # what the old one held is the new one's to hold or let go
        entry = Entry(fault_id, kind, behaviour, share, seed, lease_s, only)
        self._entries[fault_id] = entry
        self.hits.setdefault(fault_id, 0)
        self._lease(entry)
        if isinstance(behaviour, AnswersMetrics):
            entry.metrics = self._metrics()
        self._limit()
        if isinstance(behaviour, PulsesEngine):
            self._pulse(entry, behaviour)
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
            entry.let_go()
            self._limit()
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
            entry.count(visit)
            behaviour = entry.behaviour
            if isinstance(behaviour, DelaysRequest) and entry.takes(visit):
                delay_s += behaviour.delay_s(fraction(entry.seed, entry.fault_id, f"{visit.key}/jitter"))
                self.note(entry, visit)
            elif answer is None and isinstance(behaviour, AnswersRequest) and entry.takes(visit):
                answer = behaviour.answer()
                if answer is not None:
                    self.note(entry, visit)
        return delay_s, answer

    async def held(self, visit: Visit) -> None:
        """Wait as long as behaviours keep the request from the engine."""
        met: set[str] = set()
        while True:
            holding = [
                entry
                for entry in self._entries.values()
                if isinstance(entry.behaviour, HoldsRequest)
                and entry.behaviour.holds
                and entry.fault_id not in met
                and entry.takes(visit)
            ]
            if not holding:
                return
            entry = holding[0]
            met.add(entry.fault_id)
            self.note(entry, visit)
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry.waiting.append(future)
            await future

    def enter(self, visit: Visit) -> None:
        """The request goes to the engine, with a stream."""
        self._visits[id(visit)] = visit
        for entry in list(self._entries.values()):
            self._meet(entry, visit)

    def leave(self, visit: Visit) -> None:
        """The request is over. Idempotent."""
        self._visits.pop(id(visit), None)

    def vouched(self) -> bool:
        """A health check has come: whether a behaviour answers it with 200."""
        behaviours = [entry.behaviour for entry in self._entries.values()]
        return any(each.vouches for each in behaviours if isinstance(each, VouchesForHealth))

    def metrics(self) -> bytes:
        """`/metrics` is asked for: what is said."""
        page = self._metrics()
        for entry in self._entries.values():
            if isinstance(entry.behaviour, AnswersMetrics):
                page = entry.behaviour.metrics(page, entry.metrics)
                self.hits[entry.fault_id] += 1
        return page

    def note(self, entry: Entry, visit: Visit) -> None:
        """Count a hit."""
        entry.met += 1
        self.hits[entry.fault_id] += 1
        visit.hits.append(Hit(entry.fault_id, entry.kind, self._clock()))

    def _meet(self, entry: Entry, visit: Visit) -> None:
        behaviour = entry.behaviour
        if isinstance(behaviour, LimitsEngine | PulsesEngine):
            self.note(entry, visit)
        elif isinstance(behaviour, ActsInStream) and visit.stream is not None and entry.takes(visit):
            stream = visit.stream
            if behaviour.only_streamed and not stream.streaming:
                return
            after = stream.total if behaviour.after_tokens is None else behaviour.after_tokens
            if entry.only.phase == "decode":
                after = max(1, after)
            stream.add_point(_StreamPoint(self, entry, behaviour, visit, after))

    def _lease(self, entry: Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        entry.expires_at = self._clock() + entry.lease_s
        entry.timer = self._call_later(entry.lease_s, self.remove, entry.fault_id)

    def _limit(self) -> None:
        limiting = [entry.behaviour for entry in self._entries.values()]
        limits = reduce(and_, (each.limits for each in limiting if isinstance(each, LimitsEngine)), EngineLimits())
        if limits != self._limits:
            self._limits = limits
            self._engine.limit(
                prefill=limits.prefill, decode=limits.decode, kv=limits.kv, max_sequences=limits.max_sequences
            )

    def _pulse(self, entry: Entry, behaviour: PulsesEngine) -> None:
        behaviour.pulse(self._engine)
        if behaviour.every_s is not None:
            entry.pulse = self._call_later(behaviour.every_s, self._pulse, entry, behaviour)
