"""Configuration of overload control: admission, concurrency limits, the queue, throttling, degradation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from targets.gateway.config.checks import FORBID, not_negative, positive, share

__all__ = ["Admission", "Concurrency", "Degradation", "Queue", "Throttling", "Tier"]


@dataclass(frozen=True, slots=True)
class Tier:
    """The limit of each tenant of this tier in model tokens (prompt and output), and when the tier is shed.

    `tokens_per_s` and `burst_tokens`: a token bucket per tenant; null = no limit. `shed_at`: at this load of the stack
    (requests running and queued / places) its requests are refused; null = never, they wait in the queue.
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
            raise ValueError("tokens_per_s and burst_tokens go together: give both or none")


@dataclass(frozen=True, slots=True)
class Admission:
    """Limits per tenant, and load shedding by tier, lowest tier first (as the usage limits of public LLM APIs).

    A request is charged its prompt and its expected output (`max_tokens` x the share of it that this tenant recently
    used); the difference is settled at its end. A refused request gets a 429 with the seconds until its admission; the
    admission is reserved for `keep_s`, so that a client that waits so long is admitted. Requests that are shed are
    admitted later at `trickle` x the rate of completions. A wait above `longest_wait_s` is not promised: the response
    says not to retry. `default_tier`: for tenants of unknown tier, and for requests without a tenant, which are not
    charged.
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
            raise ValueError(f"default_tier {self.default_tier!r} is not one of the tiers: {', '.join(self.tiers)}")


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A limit on the requests of each replica, derived from the time to first token (Netflix concurrency-limits).

    `counts`: requests in flight, or only those that wait for their first token. Overload makes requests queue for
    prefill, and a low limit on waiting requests does not keep long responses from decoding at the same time.
    A sample is `base_s` + the time to first token beyond the predicted prefill: the wait, whatever the length of the
    prompt. `gradient2`: the average of a window (`window_s`, at least `window_samples`) against the long-term average
    (of `long_samples`): limit x clamp(`tolerance` x long / short, 0.5, 1) + `growth`, smoothed by `smoothing`.
    `aimd`: x `backoff` on a timeout or a wait above `slow_s`, +1 per sample while at least half is used. `fixed`:
    `initial`. A first attempt that finds every replica at its limit waits in the queue; without a queue it is refused.
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
    """The queue of first attempts that find no place; bounded, with controlled delay (Folly `Codel`: 100 ms, 5 ms;
    Maurer, "Fail at Scale").

    If the lowest delay over `interval_s` was above the target, requests that waited twice the target are dropped (503
    and `Retry-After`), and the newest go first meanwhile. Target: `target_s`, or `prefill_factor` x the average
    predicted prefill of arriving requests, if that is more. Better tiers go first. Above `max_length` the newest of the
    lowest tier is dropped. No request waits longer than `longest_s`.
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
    """The gateway sends less to an upstream that rejects requests (Google SRE book, "Handling Overload": K = 2,
    2 minutes).

    A request is not sent with probability max(0, (requests - k x accepts) / (requests + 1)), counted over `window_s`.
    An accept is a first token or a client error; a rejection is a 429, a 5xx or a timeout. `per`: counted per replica,
    or for the replicas of a pool together.
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
    """A brownout: under load, responses of the named tiers get shorter (Klein et al., "Brownout", ICSE '14).

    From load `from_load` to `to_load` the dimmer goes from 1 to 0, and with it `max_tokens` from the requested value to
    `least_share` of it, never below `least_tokens`. With the dimmer at 0, `model` (if given) serves the request. The
    response header `X-Brownout-Degraded` says what was reduced.
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
