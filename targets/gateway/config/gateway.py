"""The configuration of the whole gateway: all policies, its upstreams, its address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from targets.gateway.config.attempts import Cancellation, Hedging, Migration, Retries, Timeouts
from targets.gateway.config.balancing import Affinity, Balancing, SlowStart, Spillover
from targets.gateway.config.checks import FORBID, not_negative
from targets.gateway.config.health import Breaker, Ejection, Panic, Probes
from targets.gateway.config.operations import Operations
from targets.gateway.config.overload import Admission, Concurrency, Degradation, Queue, Throttling

__all__ = ["GatewayConfig", "GatewayPolicies", "Upstream"]


@dataclass(frozen=True, slots=True)
class GatewayPolicies:
    """All policies of the gateway. `null` switches a policy off."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    balancing: Balancing = field(default_factory=Balancing)
    affinity: Affinity | None = field(default_factory=Affinity)
    breaker: Breaker | None = field(default_factory=Breaker)
    ejection: Ejection | None = field(default_factory=Ejection)
    panic: Panic | None = field(default_factory=Panic)
    retries: Retries | None = field(default_factory=Retries)
    timeouts: Timeouts = field(default_factory=Timeouts)
    migration: Migration | None = field(default_factory=Migration)
    cancellation: Cancellation | None = field(default_factory=Cancellation)
    probes: Probes | None = field(default_factory=Probes)
    slow_start: SlowStart | None = None
    spillover: Spillover | None = None
    hedging: Hedging | None = None
    admission: Admission | None = None
    concurrency: Concurrency | None = None
    queue: Queue | None = None
    throttling: Throttling | None = None
    degradation: Degradation | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """One replica as the gateway sees it.

    `url`: base URL, without a path. `continuation`: it can continue a partial response. Coefficients of its predicted
    time: `prefill_us_per_token`; `step_ms`, a decode step while idle; `full_step_ms`, a step full of prefill;
    `sequence_us` and `context_ns_per_token`, added to a step by each sequence and each token of its context.
    `usd_per_hour`: its price. Zero = not known.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    name: str
    pool: str
    url: str
    cloud: str = ""
    continuation: bool = False
    prefill_us_per_token: float = 0.0
    step_ms: float = 0.0
    full_step_ms: float = 0.0
    sequence_us: float = 0.0
    context_ns_per_token: float = 0.0
    usd_per_hour: float = 0.0

    def __post_init__(self) -> None:
        not_negative(
            prefill_us_per_token=self.prefill_us_per_token,
            step_ms=self.step_ms,
            full_step_ms=self.full_step_ms,
            sequence_us=self.sequence_us,
            context_ns_per_token=self.context_ns_per_token,
            usd_per_hour=self.usd_per_hour,
        )


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """The configuration of one gateway process (`BROWNOUT_CONFIG`). `port` 0: any free port. `control_port`: on
    loopback, for behaviours and operations; None: no control port. `seed`: of its random draws. `reserve`: pools that
    get nothing until `operations.added` names them. `operations`: what the operator had changed before its start."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    upstreams: tuple[Upstream, ...]
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int | None = None
    policies: GatewayPolicies = field(default_factory=GatewayPolicies)
    model: str = ""
    seed: int = 0
    reserve: tuple[str, ...] = ()
    operations: Operations = field(default_factory=Operations)

    def __post_init__(self) -> None:
        if not self.upstreams:
            raise ValueError("a gateway needs at least one upstream")
        names = [upstream.name for upstream in self.upstreams]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"upstream names must be unique; twice: {', '.join(twice)}")
        pools = {upstream.pool for upstream in self.upstreams}
        unknown = [pool for pool in self.reserve if pool not in pools]
        if unknown:
            raise ValueError(f"reserve names pools without an upstream: {', '.join(unknown)}")
