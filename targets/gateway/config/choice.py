"""Who gets a request: balancing and affinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from targets.gateway.config.checks import FORBID, positive

__all__ = ["Affinity", "Balancing"]


@dataclass(frozen=True, slots=True)
class Balancing:
    """Who gets a request that belongs nowhere yet.

    `p2c`: of two drawn at random the one with less load, where load = peak EWMA of the time to first token x (in
    flight + 1) (Finagle `PeakEwma`). `least_outstanding`: the one with the fewest requests in flight.
    `round_robin`: each in turn. `decay_s`: time constant of the EWMA (Finagle: 10 s).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    kind: Literal["p2c", "round_robin", "least_outstanding"] = "p2c"
    decay_s: float = 10.0

    def __post_init__(self) -> None:
        positive(decay_s=self.decay_s)


@dataclass(frozen=True, slots=True)
class Affinity:
    """A session stays where its prefix cache is, within bounded load (Mirrokni et al.; HAProxy `hash-balance-factor`).

    A replica is full at `max(min_cap, ceil((1 + epsilon) x in flight everywhere / replicas))` requests in flight. A
    session that has no home yet, or whose home is full or ill, is placed: `ring` walks the hash ring past the full
    and the ill, `balancer` asks the balancing policy. Its home is then where it was last served, so that it moves
    once and stays. Homes idle for `idle_s`, and the oldest above `max_sessions`, are forgotten.
    `epsilon`: 0.25 (HAProxy's guide uses 1.25 to 2 as the factor).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID

    epsilon: float = 0.25
    min_cap: int = 4
    placement: Literal["ring", "balancer"] = "ring"
    idle_s: float = 3600.0
    max_sessions: int = 100_000

    def __post_init__(self) -> None:
        positive(epsilon=self.epsilon, min_cap=self.min_cap, idle_s=self.idle_s, max_sessions=self.max_sessions)
