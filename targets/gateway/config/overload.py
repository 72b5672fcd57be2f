"""What the gateway does when more comes than it can serve: admission, limits, the queue, throttling, degradation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from targets.gateway.config.checks import FORBID, not_negative, positive, share

__all__ = ["Admission", "Concurrency", "Degradation", "Queue", "Throttling", "Tier"]


@dataclass(frozen=True, slots=True)
class Tier:
    """What a tenant of this tier may use, in model tokens (prompt and output), and when the tier is shed.

    `tokens_per_s` and `burst_tokens`: a token bucket a tenant; null = no limit. `shed_at`: at this load of the stack
    (requests under way and queued / places) its requests are refused; null = never, it waits in the queue.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    tokens_per_s: float | None = None
    burst_tokens: float | None = None
    shed_at: float | None = None

    def __post_init__(self) -> None:
        for name in ("tokens_per_s", "burst_tokens", "shed_at"):
            value = getattr(self, name)
            if value is not None:
                positive(**{name: value})
        if (self.tokens_per_s is None) != (self.burst_tokens is None):
            raise ValueError("tokens_per_s and burst_tokens go together: a bucket has a rate and a size")


@dataclass(frozen=True, slots=True)
class Admission:
    """Limits a tenant, and shedding by tier from the bottom (the usage limits of the field's APIs).

    A request is charged its prompt and the output that it will probably have (`max_tokens` x the share of it that
    this tenant used lately); the difference is settled at its end. One that is refused gets a 429 with the seconds
    until its place is free; that place is kept for it for `keep_s`, so that a client that obeys gets in. Those that are
    shed get places at `trickle` x the rate at which requests end. A wait above `longest_wait_s` is not promised: the
    refusal says not to retry. `default_tier`: of tenants whose tier is unknown, and of requests that name no tenant,
    which are charged to nobody.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    tiers: dict[str, Tier] = field(
        default_factory=lambda: {
            "subscription": Tier(),
            "pay_as_you_go": Tier(shed_at=1.0),
            "batch": Tier(shed_at=0.8),
        }
    )
    default_tier: str = "subscription"
    trickle: float = 0.1
    longest_wait_s: float = 60.0
    keep_s: float = 5.0
    max_tenants: int = 10_000

    def __post_init__(self) -> None:
        positive(longest_wait_s=self.longest_wait_s, keep_s=self.keep_s, max_tenants=self.max_tenants)
        share(trickle=self.trickle)
        if self.default_tier not in self.tiers:
            raise ValueError(f"default_tier {self.default_tier!r} is none of the tiers: {', '.join(self.tiers)}")


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many requests a replica may have, found out from the time to first token (Netflix concurrency-limits).

    `counts`: its requests in flight, or only those that wait for their first token: prefill is what overload makes them
    queue for, and a short limit on it does not keep long answers from decoding side by side.
    What is measured is `base_s` + the time to first token beyond the predicted prefill: waiting, whatever the length of
    the prompt. `gradient2`: the average of a window (`window_s`, at least `window_samples`) against the long-term one
    (of `long_samples`): limit x clamp(`tolerance` x long / short, 0.5, 1) + `growth`, smoothed by `smoothing`.
    `aimd`: x `backoff` on a timeout or a wait above `slow_s`, +1 a sample while at least half is used. `fixed`:
    `initial`. A first attempt that finds every replica at its limit waits in the queue; without one it is refused.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    kind: Literal["gradient2", "aimd", "fixed"] = "gradient2"
    counts: Literal["in_flight", "waiting"] = "in_flight"
    initial: int = 20
    least: int = 20
    most: int = 200
    base_s: float = 1.0
    tolerance: float = 1.5
    growth: float = 4.0
    smoothing: float = 0.2
    long_samples: int = 600
    window_s: float = 1.0
    window_samples: int = 10
    backoff: float = 0.9
    slow_s: float = 5.0

    def __post_init__(self) -> None:
        positive(
            least=self.least,
            base_s=self.base_s,
            long_samples=self.long_samples,
            window_samples=self.window_samples,
            slow_s=self.slow_s,
        )
        not_negative(growth=self.growth, window_s=self.window_s)
        share(smoothing=self.smoothing, backoff=self.backoff)
        if self.tolerance < 1.0:
            raise ValueError(f"tolerance must be at least 1, not {self.tolerance:g}")
        if not self.least <= self.initial <= self.most:
            raise ValueError("initial must be between least and most")


@dataclass(frozen=True, slots=True)
class Queue:
    """Where first attempts wait that find no place; bounded, with controlled delay (Folly `Codel`: 100 ms, 5 ms;
    Maurer, "Fail at Scale").

    If the least delay over `interval_s` was above the target, what waited twice the target is dropped (503 and
    `Retry-After`), and the newest go first while it lasts. Target: `target_s`, or `prefill_factor` x the average
    predicted prefill of what came, if that is more. Better tiers go first. At `max_length` the newest of the lowest
    tier has to go. Nobody waits longer than `longest_s`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    max_length: int = 1000
    interval_s: float = 0.1
    target_s: float = 0.005
    prefill_factor: float = 1.0
    longest_s: float = 30.0

    def __post_init__(self) -> None:
        positive(
            max_length=self.max_length, interval_s=self.interval_s, target_s=self.target_s, longest_s=self.longest_s
        )
        not_negative(prefill_factor=self.prefill_factor)


@dataclass(frozen=True, slots=True)
class Throttling:
    """The gateway throttles itself towards an upstream that refuses (Google SRE book, "Handling Overload": K = 2,
    2 minutes).

    A request to it is not sent with probability max(0, (requests - k x accepts) / (requests + 1)), counted over
    `window_s`; an accept is a first token (or an answer that is nobody's fault but the caller's), a refusal a 429, a
    5xx or a timeout. `per`: what is counted together.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    k: float = 2.0
    window_s: float = 120.0
    per: Literal["replica", "pool"] = "replica"

    def __post_init__(self) -> None:
        positive(window_s=self.window_s)
        if self.k < 1.0:
            raise ValueError(f"k must be at least 1, not {self.k:g}")


@dataclass(frozen=True, slots=True)
class Degradation:
    """A brownout: under load, answers of the named tiers get shorter (Klein et al., "Brownout", ICSE '14).

    From load `from_load` to `to_load` the dimmer goes from 1 to 0, and with it `max_tokens` from what was asked to
    `least_share` of it, never below `least_tokens`. With the dimmer at 0, `model` (if named) serves instead. The answer
    says so in `X-Brownout-Degraded`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    tiers: tuple[str, ...] = ("batch",)
    from_load: float = 0.8
    to_load: float = 1.2
    least_share: float = 0.5
    least_tokens: int = 16
    model: str = ""

    def __post_init__(self) -> None:
        positive(from_load=self.from_load, least_tokens=self.least_tokens)
        share(least_share=self.least_share)
        if self.to_load <= self.from_load:
            raise ValueError("to_load must be above from_load")
