"""What happened between a gateway that is not ours and our replicas, seen from the two ends.

Such a gateway has no spans for us. A request at a replica stands in for the gateway's attempt that made it:

- It belongs to a call by trace context where the gateway passes that on, else by the marker of its conversation; also
  one that began after its call had ended (the gateway tried again for a client that had left).
- A killed process took the spans of its open requests with it. `lost_requests` makes them from the lines that it wrote
  as they began, with the process's end as theirs.
- A frozen process reads what waited in its socket when it continues. Such a request was sent while it was frozen
  (`sent_to_frozen`).

Nobody sees an attempt that a dead replica refused: `reports.history.unseen` counts or bounds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reports.history.calls import Attempt, Call, ReplicaRequest
from reports.record.entries import FaultRecord
from reports.record.gateway_statistics import GatewayStatistics
from reports.record.reader import Record
from reports.record.spans import Span
from reports.shared import attributes as names
from reports.shared.attributes import SERVICE_REPLICA, Outcome, Transition

__all__ = ["attempts_of", "availability_changes", "lost_requests", "sent_to_frozen"]

_AT_ONCE_S: Final = 0.25
"""A process that continues begins what waited for it within this time, seconds."""
_STOPS_WITHIN_S: Final = 0.05
"""A process that is told to stop has stopped within this time, seconds."""
_UNBOUNDED: Final = 1 << 62
"""In place of the tokens that a killed replica sent, which its lost span had: what the client received bounds them."""


def lost_requests(record: Record, received: Iterable[Span]) -> Iterator[Span]:
    """Spans for the requests that began and whose own span was never received. `received`: the replicas' spans.

    A line without the id of its span does not tell whether that was received: it is left out.
    """
    known = {span.span_id for span in received}
    pool_of = {replica.name: replica.pool for replica in record.replicas}
    for line in record.requests:
        if not line.span_id or line.span_id in known:
            continue
        known.add(line.span_id)
        began_s = record.seconds(line.at_ns)
        ended = [one for one in record.exits if one.name == line.replica and one.at_s >= began_s]
        last = min(ended, key=lambda one: one.at_s, default=None)
        end_s = last.at_s if last is not None else record.end_s()
        attributes = {
            names.REPLICA: line.replica,
            names.POOL: pool_of.get(line.replica, ""),
            names.OUTCOME: Outcome.RESET.value,
            names.PROMPT_TOKENS: line.prompt_tokens,
            names.SPAN_LOST: True,
        }
        if line.offset:
            attributes[names.CONTINUATION_OFFSET] = line.offset
        if line.session is not None:
            attributes |= {names.CONVERSATION_ID: line.session, names.AGENT_ID: line.agent, names.TURN: line.turn}
        yield Span(
            trace_id=line.trace_id,
            span_id=line.span_id,
            parent_id=line.parent_id,
            name=names.SPAN_REPLICA_REQUEST,
            service=SERVICE_REPLICA,
            instance=f"{line.replica}#{last.incarnation if last is not None else 0}",
            start_ns=line.at_ns,
            end_ns=max(line.at_ns, record.zero_ns + round(end_s * 1e9)),
            error=True,
            attributes=attributes,
            events=[],
        )


def availability_changes(record: Record) -> Iterator[Span]:
    """Transitions of replicas, as the statistics of a real gateway show them: ejected, or available again."""
    before: dict[str, bool] = {}
    for statistics in record.upstreams:
        for name, post in statistics.replicas.items():
            if post.available is None:
                continue
            if before.get(name, True) != post.available:
                yield _transition(name, Transition.READMITTED if post.available else Transition.EJECTED, statistics)
            before[name] = post.available


def _transition(replica: str, transition: Transition, statistics: GatewayStatistics) -> Span:
    return Span(
        trace_id=b"",
        span_id=b"",
        parent_id=b"",
        name=names.SPAN_GATEWAY_TRANSITION,
        service="",
        instance="gateway#1",
        start_ns=statistics.at_ns,
        end_ns=statistics.at_ns,
        error=False,
        attributes={names.REPLICA: replica, names.TRANSITION: transition.value},
        events=[],
    )


def attempts_of(record: Record, call: Call, places: Sequence[int]) -> list[Attempt]:
    """The attempts of a call, made of its requests at replicas. `places`: the client attempt of each request."""
    placed = list(zip(call.replica_requests, places, strict=True))
    made = [
        _attempt(record.faults, call, request, place, [one for one, at in placed if at == place])
        for request, place in placed
    ]
    made.sort(key=lambda attempt: attempt.start_s)
    for index, attempt in enumerate(made):
        earlier = [one for one in made[:index] if one.client_attempt == attempt.client_attempt]
        _end_before_retry(attempt, made[index + 1 :])
        attempt.reason = "migration" if attempt.offset else "retry" if earlier else "first"
        attempt.passed_on = min(attempt.passed_on, _received(call, attempt, _followed_s(attempt, made[index + 1 :])))
    return made


def _end_before_retry(attempt: Attempt, later: Iterable[Attempt]) -> None:
    """End a lost attempt where the gateway tried again: it had failed well before its process ended."""
    if attempt.span.attributes.get(names.SPAN_LOST):
        again = [one for one in later if one.client_attempt == attempt.client_attempt]
        began_s = min([one.start_s for one in again if one.outcome != Outcome.ABANDONED], default=math.inf)
        if began_s < attempt.end_s - _STOPS_WITHIN_S:
            attempt.end_s = began_s


def _followed_s(attempt: Attempt, later: Iterable[Attempt]) -> float:
    """When the attempt began that took over from this one. Not a hedge: that began while this one was open."""
    ended_s = attempt.end_s - _STOPS_WITHIN_S
    began = [one.start_s for one in later if one.outcome != Outcome.ABANDONED and one.start_s >= ended_s]
    return min(began, default=math.inf)


def _attempt(
    faults: Iterable[FaultRecord], call: Call, request: ReplicaRequest, place: int, beside: Iterable[ReplicaRequest]
) -> Attempt:
    """`beside`: the requests of the same client attempt."""
    attributes = request.span.attributes
    client = call.client_attempts[place] if place < len(call.client_attempts) else None
    start_s, end_s = request.start_s, request.end_s
    for fault in faults:
        if sent_to_frozen(fault, request):
            sent_s = client.start_s if client is not None else call.sent_s
            start_s = min(start_s, _waited_from_s(fault, request, sent_s, beside))
    lost = bool(attributes.get(names.SPAN_LOST))
    if lost and client is not None and client.outcome == Outcome.OK:
        end_s = max(start_s, min(end_s, client.end_s))  # it may have ended well before its process did
    return Attempt(
        request.span,
        request.replica,
        request.pool,
        start_s,
        end_s,
        str(attributes.get(names.OUTCOME, "")),
        "first",
        int(attributes.get(names.CONTINUATION_OFFSET, 0)),
        _UNBOUNDED if lost else int(attributes.get(names.SENT, 0)),
        place,
    )


def _waited_from_s(
    fault: FaultRecord, request: ReplicaRequest, sent_s: float, beside: Iterable[ReplicaRequest]
) -> float:
    """When a request that may have waited at a frozen process was sent there, at the earliest.

    One that the gateway gave up had waited. Another one may be the retry of a call that was elsewhere before.
    """
    if request.span.attributes.get(names.OUTCOME) != Outcome.ABANDONED:
        before = [one.end_s for one in beside if one.start_s < request.start_s and not sent_to_frozen(fault, one)]
        if any(end_s >= request.start_s - _AT_ONCE_S for end_s in before):
            return request.start_s
        sent_s = max([sent_s, *before])
    return max(sent_s, fault.injected_s or sent_s)


def sent_to_frozen(fault: FaultRecord, request: ReplicaRequest) -> bool:
    """Whether a request waited at a frozen process: it began at once when the process continued."""
    frozen = fault.traits.stops_process and fault.traits.silences_calls
    if not frozen or request.replica not in fault.targets:
        return False
    injected, reverted = fault.injected_s, fault.reverted_s
    if injected is None or reverted is None:
        return False
    return injected + _STOPS_WITHIN_S < request.start_s <= reverted + _AT_ONCE_S


def _received(call: Call, attempt: Attempt, until_s: float) -> int:
    """Tokens that the client received from the start of an attempt until another took over."""
    if attempt.client_attempt >= len(call.client_attempts):
        return 0
    chunks = call.client_attempts[attempt.client_attempt].chunks
    return sum(tokens for at_s, tokens in chunks if attempt.start_s <= at_s < until_s)
