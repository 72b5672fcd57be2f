"""The configuration of the gateway: its upstreams and its policies.

gateway     the whole: all policies, upstreams, address
balancing   balancing, affinity, spillover, slow start
attempts    retries and their budget, timeouts, hedging, migration, cancellation
health      probes, ejection, breakers, panic
overload    admission, concurrency limits, queue, throttling, degradation
operations  what the operator changed on a running gateway
checks      checks that all of them share

Plain frozen dataclasses: the gateway's process decodes them with msgspec, the stack loader validates the same ones with
pydantic (`__pydantic_config__` forbids unknown keys).

`null` switches a policy off; a policy with a `kind` is changed by another kind. Defaults are those of the named source;
`docs/policies.md` has the values of the shipped stacks. Durations are in seconds (`*_s`), shares are fractions of 1.
"""

from __future__ import annotations

from targets.gateway.config.attempts import Backoff, Cancellation, Hedging, Migration, Retries, RetryBudget, Timeouts
from targets.gateway.config.balancing import Affinity, Balancing, SlowStart, Spillover
from targets.gateway.config.gateway import GatewayConfig, GatewayPolicies, Upstream
from targets.gateway.config.health import Breaker, Ejection, Panic, Probes
from targets.gateway.config.operations import Operations
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
    "Operations",
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
