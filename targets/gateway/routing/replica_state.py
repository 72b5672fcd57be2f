"""What the router knows about one replica."""

from __future__ import annotations

from collections.abc import Callable

from targets.gateway.config import GatewayPolicies, Upstream
from targets.gateway.policies.balancing.peak_ewma import PeakEwma
from targets.gateway.policies.balancing.slow_start import weight
from targets.gateway.policies.health.breaker import CircuitBreaker
from targets.gateway.policies.health.probes import Readiness
from targets.gateway.policies.overload.concurrency import Limit, make_limit
from targets.gateway.policies.overload.throttling import Throttle

__all__ = ["PLACES_TAKEN", "ReplicaState"]


class ReplicaState:
    """Mutable; owned by the router. Times in seconds on the router's clock."""

    __slots__ = (
        "_count_places",
        "_slow_start",
        "attempts",
        "breaker",
        "ejected",
        "health_ignored",
        "in_flight",
        "last_byte_at",
        "latency",
        "limit",
        "name",
        "out_because",
        "outstanding_work_s",
        "paused_until",
        "readiness",
        "readmitted_at",
        "reported_load",
        "step_load_s",
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
        concurrency = policies.concurrency
        self._count_places = PLACES_TAKEN[concurrency.counts if concurrency is not None else "in_flight"]
        self.limit: Limit | None = make_limit(concurrency) if concurrency is not None else None
        self.throttle: Throttle | None = None  # set by `ConcurrencyLimits`: replicas of a pool may share one
        self.readiness = Readiness(policies.probes) if policies.probes is not None else None
        self.ejected = False  # by outlier ejection or by its probes
        self.health_ignored = False  # the fault `stuck_config`: it gets requests whatever its health
        self.out_because = ""  # why it gets no new attempt although nothing is wrong with it: the operator's settings
        self.paused_until = 0.0  # end of its Retry-After
        self.waiting = 0  # requests that wait for their first token
        self.waiting_prefill_s = 0.0  # predicted prefill of those requests
        self.last_byte_at = float("-inf")  # on any stream
        self.outstanding_work_s = 0.0  # predicted engine time of the requests in flight
        self.step_load_s = 0.0  # predicted time that the requests in flight add to a decode step
        self.reported_load: float | None = None  # requests running and waiting, from its metrics
        self.readmitted_at: float | None = None  # while in slow start
        self._slow_start = policies.slow_start

    def weight(self, now: float) -> float:
        """Its share of a full replica's load, above 0 and at most 1 (slow start)."""
        if self.readmitted_at is None:
            return 1.0
        share = weight(self._slow_start, now - self.readmitted_at)
        if share == 1.0:
            self.readmitted_at = None
        return share

    def reset_sums(self) -> None:
        """Nothing is in flight: removes the rounding error of the sums."""
        self.waiting_prefill_s = self.outstanding_work_s = self.step_load_s = 0.0

    @property
    def refuses_connections(self) -> bool:
        """Whether its probes are refused a connection."""
        return self.readiness is not None and self.readiness.refuses_connections and not self.readiness.ready

    @property
    def draining(self) -> bool:
        """Whether it reports itself not ready: no new requests; those in flight go on."""
        return self.readiness is not None and self.readiness.draining

    @property
    def places_taken(self) -> int:
        """Requests that count against its concurrency limit."""
        return self._count_places(self)

    @property
    def has_place(self) -> bool:
        """Whether it is below its concurrency limit."""
        return self.limit is None or self.places_taken < self.limit.places

    @property
    def drained(self) -> bool:
        """Whether the operator's settings keep new attempts away from it; those in flight go on."""
        return bool(self.out_because)

    @property
    def shut_out(self) -> bool:
        """Whether it gets no requests, because of ejection, its probes or an open breaker."""
        return self.known_unhealthy and not self.health_ignored

    @property
    def known_unhealthy(self) -> bool:
        """Whether ejection, probes or breaker call it unhealthy."""
        return self.ejected or (self.breaker is not None and self.breaker.state == "open")


PLACES_TAKEN: dict[str, Callable[[ReplicaState], int]] = {
    "in_flight": lambda replica: replica.in_flight,
    "waiting": lambda replica: replica.waiting,
}
"""`concurrency.counts` -> the requests that count against the limit."""
