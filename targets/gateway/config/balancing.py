"""Configuration of which replica gets a call: balancing, affinity, spillover, slow start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from targets.gateway.config.checks import FORBID, positive, share

__all__ = ["Affinity", "Balancing", "SlowStart", "Spillover"]


@dataclass(frozen=True, slots=True)
class Balancing:
    """Which replica gets a call that has no home.

    `p2c`: of two drawn at random the one with less load, where load = peak EWMA of the time to first token x (in
    flight + 1) (Finagle `PeakEwma`). `least_outstanding`: the fewest requests in flight. `round_robin`: each in turn.
    `least_work`: the least predicted engine time in flight, from prompts and expected output (Harchol-Balter: least
    work left). `cheapest`: the lowest price for the call among those predicted to meet `slo_ttft_s` and `slo_tpot_s`.
    `reported_load`: the fewest requests running and waiting by the replica's vLLM metrics, read every `scrape_s`; with
    `cross_check` at least the gateway's own count. `decay_s`: time constant of the EWMA (Finagle: 10 s).
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
    """A session stays where its prefix is cached, within bounded load (Mirrokni et al.; HAProxy `hash-balance-factor`).

    A replica is full at `max(min_cap, ceil((1 + epsilon) x all requests in flight / replicas))` requests in flight. A
    session without a home, or with a home that is full or unhealthy, is placed: `ring` takes the next eligible replica
    on the hash ring, `balancer` uses the balancing policy. Its home is then the replica that served it last, so that it
    moves once. Homes idle for `idle_s`, and the oldest above `max_sessions`, are dropped. `epsilon`: 0.25 (HAProxy's
    guide uses 1.25 to 2 as the factor). `over_limit`: a home at its concurrency limit is used anyway if its predicted
    wait, with the cached prefix, is at most the lowest one elsewhere, with the whole prompt to compute.
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
    """A readmitted replica gets its share slowly (Envoy slow start: aggression 1, at least 10 %).

    Its weight is `max(min_weight, (time since readmission / window_s) ^ (1 / aggression))`; 1 is a full share.
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

    `order`: pools or clouds, in order of use; replicas of none of them come last, as one step. Without an order: pools
    by price per token. A step is full at `in_flight` requests per replica on average, counted over those that may take
    the call; if half of its replicas are unhealthy, it is full at half its size.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    in_flight: int = 16
    order: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positive(in_flight=self.in_flight)
        if len(set(self.order)) != len(self.order):
            raise ValueError("order names a pool or cloud twice")
