"""Configuration of attempts: retries and their budget, timeouts, hedging, migration, cancellation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from targets.gateway.config.checks import FORBID, not_negative, positive, share

__all__ = ["Backoff", "Cancellation", "Hedging", "Migration", "Retries", "RetryBudget", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pause before a retry: random(0, min(initial x multiplier^(n-1), max)) (gRPC A6 with full jitter; 25 ms and
    250 ms are Envoy's). `Retry-After` is honoured up to `retry_after_cap_s`, where no other replica is left."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    initial_s: float = 0.025
    multiplier: float = 2.0
    max_s: float = 0.25
    retry_after_cap_s: float = 1.0

    def __post_init__(self) -> None:
        positive(initial_s=self.initial_s, multiplier=self.multiplier, max_s=self.max_s)
        not_negative(retry_after_cap_s=self.retry_after_cap_s)


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Retries as a share of requests (Finagle `RetryBudget`: 20 %, 10 s, reserve 10/s), and a limit on simultaneous
    retries (Envoy: active retries <= max(3, 20 % of active and pending))."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    share: float = 0.2
    ttl_s: float = 10.0
    reserve_per_s: float = 10.0
    active_share: float = 0.2
    active_min: int = 3

    def __post_init__(self) -> None:
        share(share=self.share, active_share=self.active_share)
        positive(ttl_s=self.ttl_s)
        not_negative(reserve_per_s=self.reserve_per_s, active_min=self.active_min)


@dataclass(frozen=True, slots=True)
class Retries:
    """Further attempts after a failure before the client got a token.

    `max_retries`: after an error response or a timeout, within `budget` and after `backoff`. `max_resends`: after a
    lost or refused connection, at once and outside the budget (when a third of the fleet fails, they exceed its 20 %);
    0 = these are ordinary retries. A migration that was refused a connection counts as a resend. With `avoid_failed`, a
    replica that failed this call is used again only if no other is eligible; without it retries are blind.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    max_retries: int = 3
    max_resends: int = 3
    avoid_failed: bool = True
    backoff: Backoff | None = field(default_factory=Backoff)
    budget: RetryBudget | None = field(default_factory=RetryBudget)

    def __post_init__(self) -> None:
        not_negative(max_retries=self.max_retries, max_resends=self.max_resends)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """One timeout per phase (Envoy `per_try_idle_timeout`; `docs/policies.md`). `null` switches one off.

    To the first token: `first_token_s + prefill_factor x predicted prefill`, where the prediction counts the prompt
    without the part that the replica should have cached, plus the prefills that wait there before it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    connect_s: float | None = 1.0
    first_token_s: float | None = 1.0
    prefill_factor: float = 3.0
    between_tokens_s: float | None = 5.0
    total_s: float | None = 600.0

    def __post_init__(self) -> None:
        for name in ("connect_s", "first_token_s", "between_tokens_s", "total_s"):
            value = getattr(self, name)
            if value is not None:
                positive(**{name: value})
        not_negative(prefill_factor=self.prefill_factor)


@dataclass(frozen=True, slots=True)
class Hedging:
    """A second attempt at another replica when the first token is late; the first one with a token wins (Dean &
    Barroso: after the p95, about 5 % more load; Finagle `BackupRequestFilter`: a budget without reserve).

    Late: above the `percentile` of the last `window` times to first token, and above `least_s`, once there are
    `min_samples`. At most a `share` of the requests is hedged. Streamed requests only.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    percentile: float = 0.95
    share: float = 0.05
    window: int = 200
    min_samples: int = 50
    least_s: float = 0.05

    def __post_init__(self) -> None:
        share(percentile=self.percentile, share=self.share)
        positive(window=self.window, min_samples=self.min_samples, least_s=self.least_s)
        if self.min_samples > self.window:
            raise ValueError(f"min_samples must be at most window ({self.window})")


@dataclass(frozen=True, slots=True)
class Migration:
    """A stream that fails midway is continued by another replica in the same response (NVIDIA Dynamo: 3 times)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    max_per_call: int = 3

    def __post_init__(self) -> None:
        positive(max_per_call=self.max_per_call)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """When a client disconnects, every upstream attempt of its call is cancelled at once, also before the response
    headers. Without it, as in many gateways, the call runs to its end, retries included, and its output is wasted."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
