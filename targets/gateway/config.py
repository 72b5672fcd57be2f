"""What the gateway is told: its upstreams and its policies.

Plain frozen dataclasses, so that the gateway's process decodes them with msgspec and the stack loader validates the
same ones with pydantic (`__pydantic_config__` forbids unknown keys) without either depending on the other.

Each policy can be switched off: with `null`, or, where a kind must be chosen, by choosing another. Defaults are those
of the source named beside them; `docs/policies.md` has the values of the three stacks that ship. Durations are in
seconds (`*_s`), shares are fractions of 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

__all__ = [
    "Affinity",
    "Backoff",
    "Balancing",
    "Breaker",
    "Ejection",
    "GatewayConfig",
    "GatewayPolicies",
    "Migration",
    "Panic",
    "Probes",
    "Retries",
    "RetryBudget",
    "Timeouts",
    "Upstream",
]

_FORBID: dict[str, Any] = {"extra": "forbid"}


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0, not {value:g}")


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must not be negative, but is {value:g}")


def _share(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value <= 1:
            raise ValueError(f"{name} is a share, above 0 and at most 1, not {value:g}")


@dataclass(frozen=True, slots=True)
class Balancing:
    """Who gets a request that belongs nowhere yet.

    `p2c`: of two drawn at random the one with less load, where load = peak EWMA of the time to first token x (in
    flight + 1) (Finagle `PeakEwma`). `least_outstanding`: the one with the fewest requests in flight.
    `round_robin`: each in turn. `decay_s`: time constant of the EWMA (Finagle: 10 s).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    kind: Literal["p2c", "round_robin", "least_outstanding"] = "p2c"
    decay_s: float = 10.0

    def __post_init__(self) -> None:
        _positive(decay_s=self.decay_s)


@dataclass(frozen=True, slots=True)
class Affinity:
    """A session stays where its prefix cache is, within bounded load (Mirrokni et al.; HAProxy `hash-balance-factor`).

    A replica is full at `max(min_cap, ceil((1 + epsilon) x in flight everywhere / replicas))` requests in flight. A
    session that has no home yet, or whose home is full or ill, is placed: `ring` walks the hash ring past the full
    and the ill, `balancer` asks the balancing policy. Its home is then where it was last served, so that it moves
    once and stays. Homes idle for `idle_s`, and the oldest above `max_sessions`, are forgotten.
    `epsilon`: 0.25 (HAProxy's guide uses 1.25 to 2 as the factor).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    epsilon: float = 0.25
    min_cap: int = 4
    placement: Literal["ring", "balancer"] = "ring"
    idle_s: float = 3600.0
    max_sessions: int = 100_000

    def __post_init__(self) -> None:
        _positive(epsilon=self.epsilon, min_cap=self.min_cap, idle_s=self.idle_s, max_sessions=self.max_sessions)


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker a replica (resilience4j: 100 calls, 50 %, 60 s, 10 probes, 100 % slow).

    Opens at `failure_share` failures, or `slow_share` slow calls, among the last `window_calls` (judged from
    `min_calls` on; null = a full window); lets `half_open_calls` real requests through after `open_s`, and closes when
    they went well. A call is slow above `slow_first_token_s` to its first token, or `slow_token_s` between tokens on
    average; null = never.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    window_calls: int = 100
    min_calls: int | None = None
    failure_share: float = 0.5
    slow_share: float = 1.0
    slow_first_token_s: float | None = None
    slow_token_s: float | None = None
    open_s: float = 60.0
    half_open_calls: int = 10

    def __post_init__(self) -> None:
        _positive(window_calls=self.window_calls, open_s=self.open_s, half_open_calls=self.half_open_calls)
        _share(failure_share=self.failure_share, slow_share=self.slow_share)
        if self.min_calls is not None and not 1 <= self.min_calls <= self.window_calls:
            raise ValueError(f"min_calls must be between 1 and window_calls ({self.window_calls})")


@dataclass(frozen=True, slots=True)
class Ejection:
    """Outlier ejection (Envoy: 5 in a row, sweep 10 s, 30 s x count up to 300 s, 10 % of hosts but at least one;
    success rate below mean - 1.9 sigma among >= 5 hosts with >= 100 requests each).

    `success_rate_min_hosts: 0` switches the success rate rule off. With `evacuate`, requests that wait for their first
    token at a replica that was ejected, and from which nothing was heard for `silence_s`, move at once.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    consecutive_failures: int = 5
    sweep_s: float = 10.0
    base_s: float = 30.0
    max_s: float = 300.0
    max_share: float = 0.1
    success_rate_sigmas: float = 1.9
    success_rate_min_hosts: int = 5
    success_rate_min_requests: int = 100
    evacuate: bool = True
    silence_s: float = 0.75

    def __post_init__(self) -> None:
        _positive(
            consecutive_failures=self.consecutive_failures,
            sweep_s=self.sweep_s,
            base_s=self.base_s,
            max_s=self.max_s,
            success_rate_sigmas=self.success_rate_sigmas,
            success_rate_min_requests=self.success_rate_min_requests,
        )
        _not_negative(success_rate_min_hosts=self.success_rate_min_hosts, silence_s=self.silence_s)
        _share(max_share=self.max_share)


@dataclass(frozen=True, slots=True)
class Panic:
    """With more than `threshold` of the replicas shut out, use them all: a guess beats a certain 503 (Envoy: 50 %)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    threshold: float = 0.5

    def __post_init__(self) -> None:
        _share(threshold=self.threshold)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pause before a retry: random(0, min(initial x multiplier^(n-1), max)) (gRPC A6 with full jitter; 25 ms and
    250 ms are Envoy's). `Retry-After` is honoured up to `retry_after_cap_s`, where no other replica is left."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    initial_s: float = 0.025
    multiplier: float = 2.0
    max_s: float = 0.25
    retry_after_cap_s: float = 1.0

    def __post_init__(self) -> None:
        _positive(initial_s=self.initial_s, multiplier=self.multiplier, max_s=self.max_s)
        _not_negative(retry_after_cap_s=self.retry_after_cap_s)


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Retries as a share of requests (Finagle `RetryBudget`: 20 %, 10 s, reserve 10/s), and at once (Envoy: active
    retries <= max(3, 20 % of active and pending))."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    share: float = 0.2
    ttl_s: float = 10.0
    reserve_per_s: float = 10.0
    active_share: float = 0.2
    active_min: int = 3

    def __post_init__(self) -> None:
        _share(share=self.share, active_share=self.active_share)
        _positive(ttl_s=self.ttl_s)
        _not_negative(reserve_per_s=self.reserve_per_s, active_min=self.active_min)


@dataclass(frozen=True, slots=True)
class Retries:
    """Attempts after a first that failed before the client got a token.

    `max_retries`: after an error answer or a timeout, within `budget` and after `backoff`. `max_resends`: after a lost
    or refused connection, at once and outside the budget (a third of a fleet is more than 20 %); 0 = they are
    ordinary retries. With `avoid_failed`, never the replica that just failed while another is allowed; without it
    retries are blind.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    max_retries: int = 3
    max_resends: int = 3
    avoid_failed: bool = True
    backoff: Backoff | None = field(default_factory=Backoff)
    budget: RetryBudget | None = field(default_factory=RetryBudget)

    def __post_init__(self) -> None:
        _not_negative(max_retries=self.max_retries, max_resends=self.max_resends)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Each phase its own (Envoy `per_try_idle_timeout`; `docs/policies.md`). A null switches one off.

    To the first token: `first_token_s + prefill_factor x predicted prefill`, where the prediction counts the prompt
    without what this replica should have cached of the session, and the prefills that wait before it there.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    connect_s: float | None = 1.0
    first_token_s: float | None = 1.0
    prefill_factor: float = 3.0
    between_tokens_s: float | None = 5.0
    total_s: float | None = 600.0

    def __post_init__(self) -> None:
        for name in ("connect_s", "first_token_s", "between_tokens_s", "total_s"):
            value = getattr(self, name)
            if value is not None:
                _positive(**{name: value})
        _not_negative(prefill_factor=self.prefill_factor)


@dataclass(frozen=True, slots=True)
class Migration:
    """A stream that dies half way goes on from another replica in the same response (NVIDIA Dynamo: 3 times)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    max_per_call: int = 3

    def __post_init__(self) -> None:
        _positive(max_per_call=self.max_per_call)


@dataclass(frozen=True, slots=True)
class Probes:
    """Active readiness probes (`GET path`): shut out after `fall` failures in a row, back after `rise` successes.

    A failed probe is repeated at once. A replica that comes back is readmitted from ejection and its breaker goes half
    open (Envoy `successful_active_health_check_uneject_host`).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    path: str = "/health/ready"
    interval_s: float = 1.0
    timeout_s: float = 1.0
    fall: int = 2
    rise: int = 1

    def __post_init__(self) -> None:
        _positive(interval_s=self.interval_s, timeout_s=self.timeout_s, fall=self.fall, rise=self.rise)
        if not self.path.startswith("/"):
            raise ValueError(f"path of a probe begins with '/', not {self.path!r}")


@dataclass(frozen=True, slots=True)
class GatewayPolicies:
    """Everything the gateway decides by. `null` for a policy switches it off."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    balancing: Balancing = field(default_factory=Balancing)
    affinity: Affinity | None = field(default_factory=Affinity)
    breaker: Breaker | None = field(default_factory=Breaker)
    ejection: Ejection | None = field(default_factory=Ejection)
    panic: Panic | None = field(default_factory=Panic)
    retries: Retries | None = field(default_factory=Retries)
    timeouts: Timeouts = field(default_factory=Timeouts)
    migration: Migration | None = field(default_factory=Migration)
    probes: Probes | None = field(default_factory=Probes)


@dataclass(frozen=True, slots=True)
class Upstream:
    """One replica as the gateway sees it.

    `url`: base URL, without a path. `continuation`: it can go on from a partial answer. `prefill_us_per_token`: for the
    prediction of its prefill, microseconds.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    name: str
    pool: str
    url: str
    cloud: str = ""
    continuation: bool = False
    prefill_us_per_token: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(prefill_us_per_token=self.prefill_us_per_token)


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """The configuration of one gateway process (`BROWNOUT_CONFIG`). `port` 0: any free one. `seed`: of its draws."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FORBID

    upstreams: tuple[Upstream, ...]
    host: str = "127.0.0.1"
    port: int = 0
    policies: GatewayPolicies = field(default_factory=GatewayPolicies)
    model: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.upstreams:
            raise ValueError("a gateway needs at least one upstream")
        names = [upstream.name for upstream in self.upstreams]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"upstream names must be unique; twice: {', '.join(twice)}")
