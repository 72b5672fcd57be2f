"""What the router knows about one replica."""

from __future__ import annotations

from targets.gateway.config import GatewayPolicies, Upstream
from targets.gateway.policies.breaker import CircuitBreaker
from targets.gateway.policies.peak_ewma import PeakEwma
from targets.gateway.policies.probes import Readiness

__all__ = ["ReplicaState"]


class ReplicaState:
    """Mutable; owned by the router. Times in seconds on the router's clock."""

    __slots__ = (
        "attempts",
        "breaker",
        "ejected",
        "in_flight",
        "last_heard",
        "latency",
        "name",
        "readiness",
        "rest_until",
        "upstream",
        "waiting_prefill_s",
    )

    def __init__(self, upstream: Upstream, policies: GatewayPolicies) -> None:
        self.upstream = upstream
        self.name = upstream.name
        self.in_flight = 0
        self.attempts = 0
        self.latency = PeakEwma(policies.balancing.decay_s)
        self.breaker = CircuitBreaker(policies.breaker) if policies.breaker is not None else None
        self.readiness = Readiness(policies.probes) if policies.probes is not None else None
        self.ejected = False  # by outlier ejection or by its probes: as told to the outside
        self.rest_until = 0.0  # it asked for a pause (Retry-After)
        self.waiting_prefill_s = 0.0  # predicted, of the requests that wait for their first token there
        self.last_heard = float("-inf")  # the last byte from it, on any stream

    @property
    def shut_out(self) -> bool:
        """Whether it gets no requests, by ejection, its probes or an open breaker."""
        return self.ejected or (self.breaker is not None and self.breaker.state == "open")
