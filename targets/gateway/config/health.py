"""Configuration of replica health: probes, ejection, breakers, panic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from targets.gateway.config.checks import FORBID, not_negative, positive, share

__all__ = ["Breaker", "Ejection", "Panic", "Probes"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker per replica (resilience4j: 100 calls, 50 %, 60 s, 10 probes, 100 % slow).

    Opens at `failure_share` failures, or `slow_share` slow calls, among the last `window_calls` (judged from
    `min_calls` on; null = a full window); lets `half_open_calls` real requests through after `open_s`, and closes when
    they succeed. A call is slow above `slow_first_token_s` to its first token, or `slow_token_s` between tokens on
    average; null = never.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    window_calls: int = 100
    min_calls: int | None = None
    failure_share: float = 0.5
    slow_share: float = 1.0
    slow_first_token_s: float | None = None
    slow_token_s: float | None = None
    open_s: float = 60.0
    half_open_calls: int = 10

    def __post_init__(self) -> None:
        positive(window_calls=self.window_calls, open_s=self.open_s, half_open_calls=self.half_open_calls)
        share(failure_share=self.failure_share, slow_share=self.slow_share)
        if self.min_calls is not None and not 1 <= self.min_calls <= self.window_calls:
            raise ValueError(f"min_calls must be between 1 and window_calls ({self.window_calls})")


@dataclass(frozen=True, slots=True)
class Ejection:
    """Outlier ejection (Envoy: 5 consecutive failures, sweep 10 s, 30 s x count up to 300 s, 10 % of hosts but at least
    one; success rate below mean - 1.9 sigma among >= 5 hosts with >= 100 requests each).

    `success_rate_min_hosts: 0` switches the success rate rule off. With `evacuate`, requests that wait for their first
    token at an ejected replica that sent no byte for `silence_s` move to another replica at once.

    Slowness (`slow_factor`; null = off, as in Envoy): ejects a replica whose time per token, in steps of its own
    hardware, is more than `slow_factor` times that of the others, or above what load explains, in `slow_sweeps`
    consecutive sweeps with at least `slow_min_samples` (one per stream and half second).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

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
    slow_factor: float | None = None
    slow_min_samples: int = 5
    slow_sweeps: int = 2

    def __post_init__(self) -> None:
        positive(
            consecutive_failures=self.consecutive_failures,
            sweep_s=self.sweep_s,
            base_s=self.base_s,
            max_s=self.max_s,
            success_rate_sigmas=self.success_rate_sigmas,
            success_rate_min_requests=self.success_rate_min_requests,
            slow_min_samples=self.slow_min_samples,
            slow_sweeps=self.slow_sweeps,
        )
        if self.slow_factor is not None and self.slow_factor <= 1:
            raise ValueError(f"slow_factor must be above 1, not {self.slow_factor:g}")
        not_negative(success_rate_min_hosts=self.success_rate_min_hosts, silence_s=self.silence_s)
        share(max_share=self.max_share)


@dataclass(frozen=True, slots=True)
class Panic:
    """With more than `threshold` of the replicas shut out, all are used: better than a certain 503 (Envoy: 50 %).

    Without `even_refused`, replicas whose probes are refused a connection stay out while any other is left.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    threshold: float = 0.5
    even_refused: bool = True

    def __post_init__(self) -> None:
        share(threshold=self.threshold)


@dataclass(frozen=True, slots=True)
class Probes:
    """Active readiness probes (`GET path`): shut out after `fall` consecutive failures, readmitted after `rise`
    successes.

    A failed probe is repeated at once. When a replica becomes ready, its ejection ends and its breaker turns half open
    (Envoy `successful_active_health_check_uneject_host`).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    path: str = "/health/ready"
    interval_s: float = 1.0
    timeout_s: float = 1.0
    fall: int = 2
    rise: int = 1

    def __post_init__(self) -> None:
        positive(interval_s=self.interval_s, timeout_s=self.timeout_s, fall=self.fall, rise=self.rise)
        if not self.path.startswith("/"):
            raise ValueError(f"path of a probe must begin with '/', not {self.path!r}")
