"""What the router knows about one replica."""

from __future__ import annotations

from targets.gateway.config import GatewayPolicies, Upstream
from targets.gateway.policies.balancing.peak_ewma import PeakEwma
from targets.gateway.policies.balancing.slow_start import weight
from targets.gateway.policies.health.breaker import CircuitBreaker
from targets.gateway.policies.health.probes import Readiness
from targets.gateway.policies.overload.concurrency import Limit, make_limit
from targets.gateway.policies.overload.throttling import Throttle

__all__ = ["ReplicaState"]


class ReplicaState:
    """Mutable; owned by the router. Times in seconds on the router's clock."""

    __slots__ = (
        "_counts_waiting",
        "_slow_start",
        "attempts",
        "back_at",
        "breaker",
        "ejected",
        "in_flight",
        "last_heard",
        "latency",
        "limit",
        "name",
        "owed_s",
        "readiness",
        "reported",
        "rest_until",
        "step_load_s",
        "stuck",
        "throttle",
        "upstream",
        "waiting",
        "waiting_prefill_s",
    )

    def __init__(self, upstream: Upstream, policies: GatewayPolicies) -> None:
        self.upstream = upstream
        self.name = upstream.name
        self.in_flight = 0
        self.attempts = 0
        self.latency = PeakEwma(policies.balancing.decay_s)
        self.breaker = CircuitBreaker(policies.breaker) if policies.breaker is not None else None
        self._counts_waiting = policies.concurrency is not None and policies.concurrency.counts == "waiting"
        self.limit: Limit | None = make_limit(policies.concurrency) if policies.concurrency is not None else None
        self.throttle: Throttle | None = None  # the router's to set: replicas of a pool may share one
        self.readiness = Readiness(policies.probes) if policies.probes is not None else None
        self.ejected = False  # by outlier ejection or by its probes: as told to the outside
        self.stuck = False  # what is known of its health is ignored (a fault)
        self.rest_until = 0.0  # it asked for a pause (Retry-After)
        self.waiting = 0  # requests that wait for their first token there
        self.waiting_prefill_s = 0.0  # predicted, of the requests that wait for their first token there
        self.last_heard = float("-inf")  # the last byte from it, on any stream
        self.owed_s = 0.0  # predicted engine time of what is in flight
        self.step_load_s = 0.0  # what the sequences in flight add to a decode step, predicted
        self.reported: float | None = None  # requests running and waiting, by its own metrics
        self.back_at: float | None = None  # when it came back, while in slow start
        self._slow_start = policies.slow_start

    def weight(self, now: float) -> float:
        """Its share of a full replica's load (slow start)."""
        if self.back_at is None:
            return 1.0
        share = weight(self._slow_start, now - self.back_at)
        if share == 1.0:
            self.back_at = None
        return share

    def empty(self) -> None:
        """Nothing is in flight: sums of floats drift."""
        self.waiting_prefill_s = self.owed_s = self.step_load_s = 0.0

    @property
    def refuses(self) -> bool:
        """Whether its probes find nobody there."""
        return self.readiness is not None and self.readiness.refuses and not self.readiness.ready

    @property
    def draining(self) -> bool:
        """Whether it says itself that it takes no new calls; it goes on serving those it has."""
        return self.readiness is not None and self.readiness.draining

    @property
    def taken(self) -> int:
        """Its places that are taken."""
        return self.waiting if self._counts_waiting else self.in_flight

    @property
    def has_place(self) -> bool:
        """Whether it is below its limit."""
        return self.limit is None or self.taken < self.limit.places

    @property
    def shut_out(self) -> bool:
        """Whether it gets no requests, by ejection, its probes or an open breaker."""
        return self.known_ill and not self.stuck

    @property
    def known_ill(self) -> bool:
        """Whether policies say that it should get no requests."""
        return self.ejected or (self.breaker is not None and self.breaker.state == "open")
