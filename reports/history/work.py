"""Work per call: attempts, tokens prefilled and decoded, tokens wasted, and the prefill that a perfect cache needs.

The last spans of a killed replica are lost. What its last counters contain and no span reports is divided among the
attempts that were open on it when it died (`Work.estimated`); of decoded tokens, no attempt gets less than the gateway
passed on.

Needed once: of each call, the tokens of its prompt beyond the longest earlier prompt + answer of the same agent in the
same session. Of an agent's first call: the tokens beyond the prefix that all sessions share; that prefix is needed once
a run, counted with the run's first call. It is the profile's `shared_prefix`; where the record has none, or a trace was
replayed, the median of what the replicas found cached at the first calls of sessions.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np

from reports.history.calls import Attempt, Call, ReplicaRequest
from reports.history.evidence import Evidence
from reports.history.statistics import FloatArray
from reports.shared import attributes as names

__all__ = ["Work", "attempts_by_call", "wasted_by_call", "work_of"]


@dataclass(frozen=True, slots=True)
class Work:
    """Arrays by call: tokens computed in prefill, decoded, and needed once.

    `estimated`: attempts whose work is estimated. `unknown`: calls with a prompt of unknown length. `shared_prefix`:
    tokens of the prefix that all sessions share.
    """

    computed: FloatArray
    decoded: FloatArray
    needed: FloatArray
    estimated: int
    unknown: int
    shared_prefix: int


def work_of(evidence: Evidence) -> Work:
    """The work of each call, from the replicas' spans. Computed once per run, cached in the evidence."""
    cached = evidence.cache.get("work")
    if isinstance(cached, Work):
        return cached
    calls = evidence.calls.calls
    computed = np.array([sum(r.computed for r in call.replica_requests) for call in calls], dtype=np.float64)
    decoded = np.array([sum(r.decoded for r in call.replica_requests) for call in calls], dtype=np.float64)
    estimated = _add_lost(evidence, computed, decoded)
    shared = _shared_prefix(evidence)
    needed, unknown = _needed(calls, shared)
    work = Work(computed, decoded, needed, estimated, unknown, shared)
    evidence.cache["work"] = work
    return work


def attempts_by_call(evidence: Evidence) -> FloatArray:
    """Attempts of each call of the run: upstream; where nobody of ours sees them, the client's."""
    calls = evidence.calls
    if calls.sees_upstream:
        counts = [len(call.attempts) for call in calls.calls]
    else:
        counts = [max(1, len(call.client_attempts)) for call in calls.calls]
    return np.array(counts, dtype=np.float64)


def wasted_by_call(evidence: Evidence) -> tuple[FloatArray, FloatArray]:
    """Of each call of the run: tokens wasted, and tokens decoded."""
    duplicated = [int(call.span.attributes.get(names.TOKENS_DUPLICATED, 0)) for call in evidence.calls.calls]
    decoded = work_of(evidence).decoded
    delivered = np.maximum(0.0, evidence.columns.tokens - np.array(duplicated, dtype=np.float64))
    # Where a replica's span is missing, more was delivered than is known to be decoded: nothing of it was wasted.
    return np.maximum(0.0, decoded - delivered), np.maximum(decoded, delivered)


def _add_lost(evidence: Evidence, computed: FloatArray, decoded: FloatArray) -> int:
    """Add the work of spans that were lost with their process; return the number of attempts affected."""
    record, calls = evidence.record, evidence.calls
    reported: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for call in calls.calls:
        for request in call.replica_requests:
            reported[request.span.instance][0] += request.computed
            reported[request.span.instance][1] += request.decoded
    for request in calls.unjoined_requests:
        reported[request.span.instance][0] += request.computed
        reported[request.span.instance][1] += request.decoded
    last = {post.instance: post for post in record.gauges if post.kind == "replica"}
    final = {post.instance for post in record.gauges if post.final}
    estimated = 0
    for exit_ in record.exits:
        instance = f"{exit_.name}#{exit_.incarnation}"
        post = last.get(instance)
        if instance in final or post is None:
            continue
        open_then: list[tuple[int, Attempt]] = [
            (index, attempt)
            for index, call in enumerate(calls.calls)
            for attempt in call.attempts
            if attempt.replica == exit_.name
            and attempt.start_s <= exit_.at_s <= attempt.end_s + 1.0
            and _may_be_of(attempt, instance)
            and not any(_reports(r, attempt) for r in call.replica_requests)
        ]
        if not open_then:
            continue
        residual_computed = max(0.0, float(post.data.get("prefill_tokens", 0)) - reported[instance][0])
        residual_decoded = max(0.0, float(post.data.get("decoded_tokens", 0)) - reported[instance][1])
        passed_on = float(sum(attempt.passed_on for _, attempt in open_then))
        more = max(0.0, residual_decoded - passed_on) / len(open_then)
        for index, attempt in open_then:
            computed[index] += residual_computed / len(open_then)
            decoded[index] += attempt.passed_on + more
        estimated += len(open_then)
    return estimated


def _may_be_of(attempt: Attempt, instance: str) -> bool:
    """Whether this process may have served the attempt; a request whose span was lost names its process."""
    return not attempt.span.attributes.get(names.SPAN_LOST) or attempt.span.instance == instance


def _reports(request: ReplicaRequest, attempt: Attempt) -> bool:
    """Whether the request's span has the work of this attempt."""
    own = request.span is attempt.span or request.span.parent_id == attempt.span.span_id
    return own and not request.span.attributes.get(names.SPAN_LOST)


def _shared_prefix(evidence: Evidence) -> int:
    experiment = evidence.record.experiment
    load, profile = experiment.get("load"), experiment.get("profile")
    replayed = isinstance(load, dict) and load.get("trace")
    if not replayed and isinstance(profile, dict) and isinstance(profile.get("shared_prefix"), int):
        return int(profile["shared_prefix"])
    cached = [
        int(request.span.attributes.get(names.PREFILL_CACHED, 0))
        for call in evidence.calls.calls
        for request in call.replica_requests[:1]
        if call.turn == 0 and not request.span.attributes.get(names.SPAN_LOST)
    ]
    return int(median(cached)) if cached else 0


def _needed(calls: list[Call], shared: int) -> tuple[FloatArray, int]:
    needed = np.zeros(len(calls))
    longest: dict[tuple[str, str], int] = {}
    unknown = 0
    for index, call in enumerate(calls):
        prompt = call.prompt_tokens()
        if prompt is None:
            unknown += 1
            continue
        agent = (call.session, call.agent)
        before = longest.get(agent)
        if before is None:
            before = min(shared, prompt) if longest else 0
        needed[index] = max(0, prompt - before)
        longest[agent] = max(longest.get(agent, 0), prompt + call.tokens)
    return needed, unknown
