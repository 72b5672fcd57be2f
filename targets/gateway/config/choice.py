"""Who gets a request: balancing, affinity, the order of pools, and how slowly a replica comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from targets.gateway.config.checks import FORBID, positive, share

__all__ = ["Affinity", "Balancing", "SlowStart", "Spillover"]


@dataclass(frozen=True, slots=True)
class Balancing:
    """Who gets a request that belongs nowhere yet.

    `p2c`: of two drawn at random the one with less load, where load = peak EWMA of the time to first token x (in
    flight + 1) (Finagle `PeakEwma`). `least_outstanding`: the one with the fewest requests in flight.
    `round_robin`: each in turn. `least_work`: the one that owes the least engine time, prompts and expected output
    counted (Harchol-Balter: least work left). `cheapest`: of those predicted to meet `slo_ttft_s` and `slo_tpot_s`
    the one whose time for the call costs least. `reported_load`: the one that reports the fewest requests running and
    waiting in its vLLM metrics, asked every `scrape_s`; with `cross_check` never fewer than the gateway's own count.
    `decay_s`: time constant of the EWMA (Finagle: 10 s).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    kind: Literal["p2c", "round_robin", "least_outstanding", "least_work", "cheapest", "reported_load"] = "p2c"
    decay_s: float = 10.0
    slo_ttft_s: float = 2.0
    slo_tpot_s: float = 0.1
    scrape_s: float = 1.0
    cross_check: bool = False

    def __post_init__(self) -> None:
        positive(decay_s=self.decay_s, slo_ttft_s=self.slo_ttft_s, slo_tpot_s=self.slo_tpot_s, scrape_s=self.scrape_s)


@dataclass(frozen=True, slots=True)
class Affinity:
    """A session stays where its prefix cache is, within bounded load (Mirrokni et al.; HAProxy `hash-balance-factor`).

    A replica is full at `max(min_cap, ceil((1 + epsilon) x in flight everywhere / replicas))` requests in flight. A
    session that has no home yet, or whose home is full or ill, is placed: `ring` walks the hash ring past the full
    and the ill, `balancer` asks the balancing policy. Its home is then where it was last served, so that it moves
    once and stays. Homes idle for `idle_s`, and the oldest above `max_sessions`, are forgotten.
    `epsilon`: 0.25 (HAProxy's guide uses 1.25 to 2 as the factor). `over_limit`: a home without a place by its
    concurrency limit is taken all the same where its predicted wait, with what it has cached, is no longer than the
    least elsewhere with the whole prompt to compute.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    epsilon: float = 0.25
    min_cap: int = 4
    placement: Literal["ring", "balancer"] = "ring"
    idle_s: float = 3600.0
    max_sessions: int = 100_000
    over_limit: bool = True

    def __post_init__(self) -> None:
        positive(epsilon=self.epsilon, min_cap=self.min_cap, idle_s=self.idle_s, max_sessions=self.max_sessions)


@dataclass(frozen=True, slots=True)
class SlowStart:
    """A replica that comes back takes its share slowly (Envoy slow start: aggression 1, at least 10 %).

    Its weight is `max(min_weight, (time since it came back / window_s) ^ (1 / aggression))` of a full one's.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    window_s: float = 60.0
    aggression: float = 1.0
    min_weight: float = 0.1

    def __post_init__(self) -> None:
        positive(window_s=self.window_s, aggression=self.aggression)
        share(min_weight=self.min_weight)


@dataclass(frozen=True, slots=True)
class Spillover:
    """Pools one after the other instead of all at once (Envoy priorities).

    `order`: pools or clouds, the first first; replicas of none of them come last, together. Without an order, pools by
    what a token costs there. A step is full at `in_flight` requests a replica on average, counted over those that may
    take the call, so that one half of which is ill overflows at half its size.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    in_flight: int = 16
    order: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positive(in_flight=self.in_flight)
        if len(set(self.order)) != len(self.order):
            raise ValueError("order names a pool or cloud twice")
