"""Admission of requests, before the router sees them. Pure.

In this order: the tenant's limit and its tier at this load; a place (a replica below its limit), else the queue; then
degradation. `admit` returns `Admitted`, `Queued` or `Refused`; a `Queued` request gets its result later, by `notify`.
An admitted request holds a place until `attempt_started`; call `ended` at its end.
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
from targets.gateway.policies.overload.queue import QueueEntry, RequestQueue
from targets.gateway.policies.overload.rate import EventRate

__all__ = ["AdmissionRequest", "Admitted", "Capacity", "Queued", "RequestAdmission"]

_RATE_TAUS_S = (5.0, 60.0)
_DEFAULT_MAX_TOKENS = 256  # of a request without a limit


class Capacity(Protocol):
    """The places at the replicas, as the router counts them."""

    def capacity(self) -> tuple[float, int, float]:
        """Returns (places, taken, free) of the replicas that receive requests. Infinite: no limit."""
        ...


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """A new request. `identify` returns a key that recognises it when it is repeated. `prefill_s`: predicted."""

    account: Account
    prompt_tokens: int
    max_tokens: int | None
    identify: Callable[[], Hashable]
    prefill_s: float = 0.0


@dataclass(slots=True, eq=False)
class Admitted:
    """The request may start. `degraded`: its reduced limits, if any."""

    request: AdmissionRequest
    ticket: Ticket
    degraded: Degraded | None = None
    started: bool = False


@dataclass(slots=True, eq=False)
class Queued(QueueEntry):
    """The request waits in the queue. `notify` is called once, with the result."""

    request: AdmissionRequest
    ticket: Ticket
    notify: Callable[[Admitted | Refused], None]


class RequestAdmission:
    """Admission of one gateway. Times in seconds on the caller's clock."""

    def __init__(self, policies: GatewayPolicies, replicas: Capacity) -> None:
        self._degradation = policies.degradation
        self._control = AdmissionControl(policies.admission) if policies.admission is not None else None
        self._queue: RequestQueue[Queued] | None = RequestQueue(policies.queue) if policies.queue is not None else None
        self._replicas = replicas
        self._limited = policies.concurrency is not None
        self._reserved = 0  # places of admitted requests whose first attempt has not started
        self._completions = [EventRate(tau_s) for tau_s in _RATE_TAUS_S]

    @property
    def queued(self) -> int:
        """Requests in the queue."""
        return len(self._queue) if self._queue is not None else 0

    def load(self) -> float:
        """(Places taken + requests queued) / places; 0 without limits."""
        return self._load_and_free()[0]

    def admit(
        self, now: float, request: AdmissionRequest, notify: Callable[[Admitted | Refused], None]
    ) -> Admitted | Queued | Refused:
        """Admits, queues or refuses a new request."""
        load, free = self._load_and_free() if self._limited else (0.0, inf)
        max_tokens = request.max_tokens if request.max_tokens is not None else _DEFAULT_MAX_TOKENS
        if self._control is not None:
            ticket = self._control.admit(
                now,
                request.account,
                request.prompt_tokens,
                max_tokens,
                load,
                self.completions_per_s(now),
                request.identify,
            )
            if isinstance(ticket, Refused):
                return ticket
        else:
            ticket = Ticket(request.account, request.account.tier, 0, max_tokens)
        if free > 0 and not self.queued:
            return self._reserve_place(request, ticket, load)
        if self._queue is None:
            return self._refuse(now, request, ticket, "every replica is at its limit")
        entry = Queued(ticket.priority, request, ticket, notify)
        removed = self._queue.offer(now, entry, request.prefill_s, promised=ticket.promised)
        if removed is not None:
            refused = self._refuse(now, removed.request, removed.ticket, "the queue is full")
            if removed is entry:
                return refused
            removed.notify(refused)
        self.dispatch(now)
        return entry

    def queue_retry(
        self, now: float, admitted: Admitted, notify: Callable[[Admitted | Refused], None]
    ) -> Queued | None:
        """Before a further attempt. Returns None if it may start; while no replica is available, it is queued ahead of
        all new requests."""
        if self._queue is None or not self._limited or self._replicas.capacity()[0] > 0:
            return None
        entry = Queued(admitted.ticket.priority, admitted.request, admitted.ticket, notify)
        removed = self._queue.offer(now, entry, 0.0, promised=True)
        if removed is not None and removed is not entry:
            removed.notify(self._refuse(now, removed.request, removed.ticket, "the queue is full"))
        return entry if removed is not entry else None

    def dispatch(self, now: float) -> None:
        """Admits queued requests while places are free."""
        if self._queue is None:
            return
        while len(self._queue):
            load, free = self._load_and_free()
            entry = self._queue.take(now) if free > 0 else None
            if entry is None:
                return
            entry.notify(self._reserve_place(entry.request, entry.ticket, load))

    def advance(self, now: float) -> None:
        """Time passed: drops requests that waited too long, and admits others if limits have grown."""
        if self._queue is None or not len(self._queue):
            return
        places, _, _ = self._replicas.capacity()
        for entry, why in self._queue.drop(now, served=places > 0):
            entry.notify(self._refuse(now, entry.request, entry.ticket, why))
        self.dispatch(now)

    def attempt_started(self, admitted: Admitted) -> None:
        """The first attempt starts: the router counts it from now on. Further calls change nothing."""
        if not admitted.started:
            admitted.started = True
            self._reserved -= 1

    def abandoned(self, now: float, entry: Queued) -> None:
        """The client of a queued request disconnected."""
        if self._queue is not None:
            self._queue.remove(entry)
        if self._control is not None:
            self._control.settle_charge(now, entry.ticket, 0, 0)

    def ended(self, now: float, admitted: Admitted, prompt_tokens: int, output_tokens: int) -> None:
        """An admitted request ended, and used so many tokens."""
        self.attempt_started(admitted)
        for rate in self._completions:
            rate.count(now)
        if self._control is not None:
            self._control.settle_charge(now, admitted.ticket, prompt_tokens, output_tokens)
        self.dispatch(now)

    def completions_per_s(self, now: float) -> float:
        """Requests that end per second: the higher of the recent rate and that of the last minute (during an outage
        none ends)."""
        return max(rate.per_s(now) for rate in self._completions)

    def _load_and_free(self) -> tuple[float, float]:
        """(load, free places). With no place at all, the load is the fullness of the queue."""
        places, taken, free = self._replicas.capacity()
        if places:
            return (taken + self._reserved + self.queued) / places, free - self._reserved
        return self._queue.fullness if self._queue is not None else inf, 0.0

    def _reserve_place(self, request: AdmissionRequest, ticket: Ticket, load: float) -> Admitted:
        self._reserved += 1
        degraded = None
        if self._degradation is not None:
            degraded = degrade(self._degradation, ticket.tier, load, request.max_tokens)
        return Admitted(request, ticket, degraded)

    def _refuse(self, now: float, request: AdmissionRequest, ticket: Ticket, why: str) -> Refused:
        completions_per_s = self.completions_per_s(now)
        if self._control is not None:
            return self._control.shed(now, request.identify(), ticket, completions_per_s, 503, why)
        return Refused(503, why, ceil((self.queued + 1) / max(completions_per_s, 1.0)))
