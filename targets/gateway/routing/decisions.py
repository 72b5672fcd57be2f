"""The router's inputs and outputs, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from reports.shared.attributes import Outcome, Transition
from targets.gateway.policies.attempts.retries import RetryUsage
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["AttemptResult", "Change", "Decision", "Reject", "RoutedAttempt", "RoutedCall", "Wait"]


@dataclass(slots=True)
class RoutedCall:
    """One client request and the state of its attempts."""

    key: str  # of its session, for affinity; "" = none
    prompt_tokens: int
    attempts: int = 0
    waits: int = 0  # times it waited for a replica to come back
    usage: RetryUsage = field(default_factory=RetryUsage)
    failed_on: list[str] = field(default_factory=list)  # replicas, in order of failure
    refused_on: dict[str, float] = field(default_factory=dict)  # replica that returned 429 -> end of its Retry-After
    offset: int = 0  # tokens the client already has
    reason: str = "first"  # of the next attempt: first, retry or migration
    why: str = ""  # in words: what ended the attempt before
    limit: int | None = None  # maximum output tokens


@dataclass(frozen=True, slots=True)
class Change:
    """A transition of a policy: a replica ejected, a breaker opened, panic ("" as replica: panic concerns all)."""

    transition: Transition
    replica: str
    pool: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Why the router decided so: candidates with their load (ms), excluded replicas with the reason, and the rule."""

    considered: tuple[tuple[str, float], ...]
    excluded: tuple[tuple[str, str], ...]
    why: str


@dataclass(slots=True, eq=False)
class RoutedAttempt:
    """Send the call to `replica`; report `Router.first_token` and then `Router.observe`."""

    decision: Decision
    replica: ReplicaState
    number: int
    reason: str
    first_token_s: float  # timeout to the first token; infinite = none
    started_at: float
    prefill_s: float
    prompt_tokens: int
    key: str
    probe: int = 0  # half-open period of the breaker that this attempt probes; 0 = none
    first_token_at: float | None = None
    limit: int | None = None  # maximum output tokens of the call
    work_s: float = 0.0  # predicted engine time
    step_share_s: float = 0.0  # predicted time that it adds to each decode step


@dataclass(frozen=True, slots=True)
class Reject:
    """No replica can serve the call: respond with `status`, and `Retry-After` (seconds) unless it is None."""

    decision: Decision
    status: int
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class Wait:
    """No replica can serve the call now: choose again after `delay_s`."""

    decision: Decision
    delay_s: float


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How an attempt ended. `tokens`: received in it. `connection_lost`: the connection ended too soon, or the attempt
    was evacuated from a silent replica. `lost_race`: a hedge had its first token sooner."""

    outcome: Outcome
    tokens: int = 0
    retry_after_s: float | None = None
    connection_lost: bool = False
    lost_race: bool = False
