"""What the router is asked and what it answers: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from reports.shared.attributes import Outcome, Transition
from targets.gateway.policies.attempts.retries import Spent
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["Attempt", "Call", "Change", "Decision", "Ended", "Reject", "Wait"]


@dataclass(slots=True)
class Call:
    """One request of a client, and what has become of its attempts so far."""

    key: str  # of its session; "" = none
    prompt_tokens: int
    attempts: int = 0
    waits: int = 0  # for somebody to come back
    spent: Spent = field(default_factory=Spent)
    failed_on: list[str] = field(default_factory=list)  # replicas, in order; the last one failed last
    refused_on: dict[str, float] = field(default_factory=dict)  # 429 from, and when they may be asked again
    offset: int = 0  # tokens the client has
    reason: str = "first"
    why: str = ""
    limit: int | None = None  # output tokens that it asks for at most


@dataclass(frozen=True, slots=True)
class Change:
    """A policy changed its mind about a replica ("" for panic, which is about all)."""

    transition: Transition
    replica: str
    pool: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What every answer carries: who was considered, with load (ms), who was not and why, and what led to it."""

    considered: tuple[tuple[str, float], ...]
    excluded: tuple[tuple[str, str], ...]
    why: str


@dataclass(slots=True, eq=False)
class Attempt:
    """Send it to `replica`, and tell the router how it goes (`first_token`, then `observe`)."""

    decision: Decision
    replica: ReplicaState
    number: int
    reason: str
    first_token_s: float  # how long to wait for the first token; infinite = for ever
    started_at: float
    prefill_s: float
    prompt_tokens: int
    key: str
    probe: int = 0  # of a half-open breaker
    first_token_at: float | None = None
    limit: int | None = None  # output tokens that the call asks for at most
    work_s: float = 0.0  # predicted engine time
    step_share_s: float = 0.0  # predicted, of each decode step there


@dataclass(frozen=True, slots=True)
class Reject:
    """Nobody can serve it: answer with `status`, and `Retry-After` if there is one (seconds)."""

    decision: Decision
    status: int
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody can serve it now, but soon: ask again after `delay_s`."""

    decision: Decision
    delay_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. `tokens`: received in it. `lost`: its connection ended too soon, or the gateway
    took it away from a replica that fell silent. `outrun`: it lost a race against a hedge."""

    outcome: Outcome
    tokens: int = 0
    retry_after_s: float | None = None
    lost: bool = False
    outrun: bool = False
