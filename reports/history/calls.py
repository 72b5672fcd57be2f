"""Calls, attempts and sessions of a run as objects. `reports.history.joining` creates them from spans."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from reports.record.entries import Phase
from reports.record.spans import Span
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = [
    "SILENT_S",
    "Attempt",
    "Call",
    "Calls",
    "ClientAttempt",
    "ReplicaRequest",
    "Session",
    "is_good",
    "phase_at",
    "slo_phase",
]

SILENT_S: Final = 10.0
"""Seconds: an unfinished session that was silent for this long at the end of the drain is lost."""


@dataclass(slots=True)
class ClientAttempt:
    """One HTTP attempt of the client. `chunks` are (seconds since zero, tokens), empty without a chunk log."""

    span: Span
    start_s: float
    end_s: float
    outcome: str
    chunks: list[tuple[float, int]]


@dataclass(slots=True)
class Attempt:
    """One upstream attempt of the gateway; behind one that is not ours, a request that reached a replica of ours.

    `client_attempt`: index into the call's client attempts.

    `offset`: tokens that the client already had. `passed_on`: tokens of this attempt sent to the client.
    """

    span: Span
    replica: str
    pool: str
    start_s: float
    end_s: float
    outcome: str
    reason: str
    offset: int
    passed_on: int
    client_attempt: int = 0

    @property
    def ok(self) -> bool:
        return self.outcome == Outcome.OK


@dataclass(slots=True)
class ReplicaRequest:
    """One request of a call at a replica. `hits`: ids of the faults that hit it. Of one whose span was lost with its
    process (`upstream.lost_requests`), only the begin is known.

    `computed`, `decoded`: tokens of prefill and output. `queue_s`: total wait in the queue, also after preemptions;
    None without a span of it.
    """

    span: Span
    replica: str
    pool: str
    start_s: float
    end_s: float
    prompt_tokens: int | None
    computed: int
    decoded: int
    hits: tuple[str, ...]
    queue_s: float | None = None


@dataclass(slots=True)
class Call:
    """One logical call, including the client's retries. Times in seconds; `ttft_s` is infinite without a token.

    `tpot_s` is NaN below two tokens, `max_gap_s` NaN below two chunks. `phase`: in which it was sent. `slo_phase`: in
    which it counts for the objectives (see the function). `hits`: ids of the faults that hit it at the client or at the
    gateway.
    """

    span: Span
    session: str
    agent: str
    turn: int
    tenant: str
    sent_s: float
    end_s: float
    outcome: str
    ttft_s: float
    e2e_s: float
    max_gap_s: float
    tpot_s: float
    lateness_s: float
    tokens: int
    phase: str = ""
    slo_phase: str = ""
    good: bool = False
    tier: str = ""
    pool: str = ""
    replica: str = ""
    joined: str = "none"
    client_attempts: list[ClientAttempt] = field(default_factory=list)
    gateway_requests: list[Span] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    replica_requests: list[ReplicaRequest] = field(default_factory=list)
    hits: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome == Outcome.OK

    @property
    def key(self) -> tuple[str, str, int]:
        return self.session, self.agent, self.turn

    def prompt_tokens(self) -> int | None:
        """Tokens of its prompt, without those that a continuation adds; None where unknown."""
        for request in self.replica_requests:
            if request.prompt_tokens is not None:
                return max(0, request.prompt_tokens - int(request.span.attributes.get(names.CONTINUATION_OFFSET, 0)))
        usage = self.span.attributes.get(names.USAGE_INPUT_TOKENS)
        return int(usage) if usage is not None else None


@dataclass(slots=True)
class Session:
    """One agent session. `phase`: in which it started. `end_s`: last byte of its last call.

    `fault`: id of the load fault that added it, "" otherwise. `lost_by`: the failed call that ended it, None if it was
    not lost, or lost in silence. `lost_phase`: in which that call ended, "" if it was not lost.
    """

    id: str
    tenant: str
    start_s: float
    end_s: float
    phase: str
    outcome: str
    lost_because: str
    lateness_s: float
    calls: list[Call]
    fault: str = ""
    tier: str = ""
    lost_by: Call | None = None
    lost_phase: str = ""


@dataclass(slots=True)
class Calls:
    """All calls and sessions of a run. `unjoined_*`: joined to no call (its span was lost, or not of this load).

    `has_replicas`: replicas of ours report their requests, also if a gateway that is not ours sent them none.
    """

    calls: list[Call]
    sessions: list[Session]
    transitions: list[Span]
    unjoined_attempts: list[Attempt]
    unjoined_requests: list[ReplicaRequest]
    joined: dict[str, int]
    has_gateway: bool
    has_replicas: bool
    has_chunks: bool
    bad_chunk_logs: int

    @property
    def sees_upstream(self) -> bool:
        """Whether a gateway or replicas of ours report where a call was served."""
        return self.has_gateway or self.has_replicas


def phase_at(phases: Iterable[Phase], at_s: float) -> str:
    """The name of the phase at `at_s`; "" before the first phase, "end" after the last."""
    name = ""
    for phase in phases:
        if at_s < phase.start_s:
            return name
        name = phase.name if at_s < phase.end_s else "end"
    return name


def slo_phase(phases: Sequence[Phase], sent_s: float, end_s: float, fault: Phase | None) -> str:
    """The phase in which a call counts for the objectives: where it was sent.

    But a call of a baseline that was still open at the injection counts in the fault, which may have made it late: in
    the fault phase that starts where its baseline ends. `fault`: the first fault phase; None: there is none.
    """
    name = phase_at(phases, sent_s)
    if name != "baseline" or fault is None:
        return name
    own_end_s = next(one.end_s for one in phases if one.name == name and one.start_s <= sent_s < one.end_s)
    injected = any(one.name == "fault" and one.start_s == own_end_s for one in phases)
    return "fault" if injected and end_s > own_end_s else name


def is_good(call: Call, slo: dict[str, float]) -> bool:
    """Whether the call ended ok and met all objectives. An undefined value (TPOT of one token) meets its objective."""
    if not call.ok:
        return False
    values = {"ttft": call.ttft_s, "tpot": call.tpot_s, "e2e": call.e2e_s, "max_gap": call.max_gap_s}
    return not any(values.get(name, math.nan) > bound for name, bound in slo.items())
