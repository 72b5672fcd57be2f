"""What the gateway is told: its upstreams and its policies.

Plain frozen dataclasses, so that the gateway's process decodes them with msgspec and the stack loader validates the
same ones with pydantic (`__pydantic_config__` forbids unknown keys) without either depending on the other.

Each policy can be switched off: with `null`, or, where a kind must be chosen, by choosing another. Defaults are those
of the source named beside them; `docs/policies.md` has the values of the three stacks that ship. Durations are in
seconds (`*_s`), shares are fractions of 1.
"""

from __future__ import annotations

from targets.gateway.config.attempts import Backoff, Cancellation, Hedging, Migration, Retries, RetryBudget, Timeouts
from targets.gateway.config.choice import Affinity, Balancing, SlowStart, Spillover
from targets.gateway.config.gateway import GatewayConfig, GatewayPolicies, Upstream
from targets.gateway.config.health import Breaker, Ejection, Panic, Probes
from targets.gateway.config.overload import Admission, Concurrency, Degradation, Queue, Throttling, Tier

__all__ = [
    "Admission",
    "Affinity",
    "Backoff",
    "Balancing",
    "Breaker",
    "Cancellation",
    "Concurrency",
    "Degradation",
    "Ejection",
    "GatewayConfig",
    "GatewayPolicies",
    "Hedging",
    "Migration",
    "Panic",
    "Probes",
    "Queue",
    "Retries",
    "RetryBudget",
    "SlowStart",
    "Spillover",
    "Throttling",
    "Tier",
    "Timeouts",
    "Upstream",
]
