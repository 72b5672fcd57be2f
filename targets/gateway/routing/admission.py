"""The entrance: what happens to a request before the router sees it. Pure.

Admission (its tenant's limit, its tier at this load), then a place (some replica below its limit), else the queue, and
how much of what it asks for it gets. `ask` answers `Admitted`, `Held` or `Refused`; a `Held` one is told later, through
its `tell`. A request that was admitted holds a place until `started`, and is `settled` when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import ceil, inf
from typing import Protocol

from reports.shared.tenancy import Account
from targets.gateway.config import GatewayPolicies
from targets.gateway.policies.overload.admission import AdmissionControl, Refused, Ticket
from targets.gateway.policies.overload.degradation import Degraded, degrade
from targets.gateway.policies.overload.queue import Waiting, WaitingLine
from targets.gateway.policies.overload.rate import Rate

__all__ = ["Admitted", "Ask", "Entrance", "Held", "Room"]

_RATE_TAUS_S = (5.0, 60.0)
_DEFAULT_MAX_TOKENS = 256  # of a request that names no limit


class Room(Protocol):
    """The places at the replicas, as the router counts them."""

    def room(self) -> tuple[float, int, float]:
        """(places, those taken, those free), at the replicas that get requests. Infinite: no limit."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that comes. `identify`: by what it is known when it comes again. `prefill_s`: predicted, seconds."""

    account: Account
    prompt_tokens: int
    max_tokens: int | None
    identify: Callable[[], Hashable]
    prefill_s: float = 0.0


@dataclass(slots=True, eq=False)
class Admitted:
    """It may go. `degraded`: what it gets instead of what it asked for."""

    ask: Ask
    ticket: Ticket
    degraded: Degraded | None = None
    started: bool = False


@dataclass(slots=True, eq=False)
class Held(Waiting):
    """It waits in the queue. `tell` is called once, with what became of it."""

    ask: Ask
    ticket: Ticket
    tell: Callable[[Admitted | Refused], None]


class Entrance:
    """Of one gateway. Times in seconds on the caller's clock."""

    def __init__(self, policies: GatewayPolicies, room: Room) -> None:
        self._degradation = policies.degradation
        self._admission = AdmissionControl(policies.admission) if policies.admission is not None else None
        self._line: WaitingLine[Held] | None = WaitingLine(policies.queue) if policies.queue is not None else None
        self._room = room
        self._limited = policies.concurrency is not None
        self._granted = 0  # places of those admitted whose first attempt has not started
        self._ends = [Rate(tau_s) for tau_s in _RATE_TAUS_S]

    @property
    def queued(self) -> int:
        """Requests that wait."""
        return len(self._line) if self._line is not None else 0

    def load(self) -> float:
        """Places taken and requests waiting for one / places; 0 without limits."""
        return self._look()[0]

    def ask(self, now: float, ask: Ask, tell: Callable[[Admitted | Refused], None]) -> Admitted | Held | Refused:
        """A request comes."""
        load, free = self._look() if self._limited else (0.0, inf)
        asked = ask.max_tokens if ask.max_tokens is not None else _DEFAULT_MAX_TOKENS
        if self._admission is not None:
            ticket = self._admission.ask(
                now, ask.account, ask.prompt_tokens, asked, load, self.ends_per_s(now), ask.identify
            )
            if isinstance(ticket, Refused):
                return ticket
        else:
            ticket = Ticket(ask.account, ask.account.tier, 0, asked)
        if free > 0 and not self.queued:
            return self._admit(ask, ticket, load)
        if self._line is None:
            return self._turn_away(now, ask, ticket, "every replica is at its limit")
        held = Held(ticket.priority, ask, ticket, tell)
        victim = self._line.offer(now, held, ask.prefill_s, promised=ticket.promised)
        if victim is not None:
            refused = self._turn_away(now, victim.ask, victim.ticket, "the queue is full")
            if victim is held:
                return refused
            victim.tell(refused)
        self.pump(now)
        return held

    def again(self, now: float, admitted: Admitted, tell: Callable[[Admitted | Refused], None]) -> Held | None:
        """It needs another attempt. None: it may have it; while nobody is there at all, it waits, before all others."""
        if self._line is None or not self._limited or self._room.room()[0] > 0:
            return None
        held = Held(admitted.ticket.priority, admitted.ask, admitted.ticket, tell)
        victim = self._line.offer(now, held, 0.0, promised=True)
        if victim is not None and victim is not held:
            victim.tell(self._turn_away(now, victim.ask, victim.ticket, "the queue is full"))
        return held if victim is not held else None

    def pump(self, now: float) -> None:
        """A place may be free: lets in who waits."""
        if self._line is None:
            return
        while len(self._line):
            load, free = self._look()
            held = self._line.take(now) if free > 0 else None
            if held is None:
                return
            held.tell(self._admit(held.ask, held.ticket, load))

    def advance(self, now: float) -> None:
        """Time passed: who waited too long has to go, and limits may have grown."""
        if self._line is None or not len(self._line):
            return
        places, _, _ = self._room.room()
        for held, why in self._line.drop(now, served=places > 0):
            held.tell(self._turn_away(now, held.ask, held.ticket, why))
        self.pump(now)

    def started(self, admitted: Admitted) -> None:
        """Its first attempt starts: from now on the router counts it. Further calls change nothing."""
        if not admitted.started:
            admitted.started = True
            self._granted -= 1

    def left(self, now: float, held: Held) -> None:
        """One that waits gave up."""
        if self._line is not None:
            self._line.remove(held)
        if self._admission is not None:
            self._admission.settle(now, held.ticket, 0, 0)

    def settled(self, now: float, admitted: Admitted, prompt_tokens: int, output_tokens: int) -> None:
        """It is over, and used so many tokens."""
        self.started(admitted)
        for rate in self._ends:
            rate.count(now)
        if self._admission is not None:
            self._admission.settle(now, admitted.ticket, prompt_tokens, output_tokens)
        self.pump(now)

    def ends_per_s(self, now: float) -> float:
        """Requests that end a second: lately, or in the last minute if that is more (none end while all is down)."""
        return max(rate.per_s(now) for rate in self._ends)

    def _look(self) -> tuple[float, float]:
        """(load, free places) now. Where there is no place at all, the load is how full the queue is."""
        places, taken, free = self._room.room()
        if places:
            return (taken + self._granted + self.queued) / places, free - self._granted
        return self._line.fullness if self._line is not None else inf, 0.0

    def _admit(self, ask: Ask, ticket: Ticket, load: float) -> Admitted:
        self._granted += 1
        degraded = None
        if self._degradation is not None:
            degraded = degrade(self._degradation, ticket.tier, load, ask.max_tokens)
        return Admitted(ask, ticket, degraded)

    def _turn_away(self, now: float, ask: Ask, ticket: Ticket, why: str) -> Refused:
        ends_per_s = self.ends_per_s(now)
        if self._admission is not None:
            return self._admission.shed(now, ask.identify(), ticket, ends_per_s, 503, why)
        return Refused(503, why, ceil((self.queued + 1) / max(ends_per_s, 1.0)))
