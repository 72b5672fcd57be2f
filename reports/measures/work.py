"""What the replicas worked for each call: tokens prefilled and decoded, and how much of it a perfect prefix cache
needs.

A killed replica's last spans are lost by nature. What it had counted by its last post and no span tells is shared among
the calls that were open on it when it died (`Work.estimated`), never less than what the gateway passed on of them.

Needed once: for each call, its prompt's tokens beyond the longest prompt + answer before it of the same agent in the
same session; for an agent's first call, its prompt's tokens beyond the prefix that all sessions share, which is needed
once a run and counted with the run's first call. The shared prefix is the profile's `shared_prefix`; where the record
names none, or a trace was replayed, the median of what the replicas found cached at the first call of a session.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np

from reports.history.calls import Attempt, Call
from reports.history.evidence import Evidence
from reports.history.statistics import FloatArray
from reports.shared import attributes as names

__all__ = ["Work", "work_of"]


@dataclass(frozen=True, slots=True)
class Work:
    """By call: tokens computed in prefill, decoded, needed once. `unknown`: calls whose prompt nobody tells."""

    computed: FloatArray
    decoded: FloatArray
    needed: FloatArray
    estimated: int
    unknown: int
    shared_prefix: int


def work_of(evidence: Evidence) -> Work:
    """Adds up the replicas' spans by call. Computed once a run, kept with the evidence."""
    kept = evidence.kept.get("work")
    if isinstance(kept, Work):
        return kept
    calls = evidence.calls.calls
    computed = np.array([sum(r.computed for r in call.replica_requests) for call in calls], dtype=np.float64)
    decoded = np.array([sum(r.decoded for r in call.replica_requests) for call in calls], dtype=np.float64)
    estimated = _add_lost(evidence, computed, decoded)
    shared = _shared_prefix(evidence)
    needed, unknown = _needed(calls, shared)
    work = Work(computed, decoded, needed, estimated, unknown, shared)
    evidence.kept["work"] = work
    return work


def _add_lost(evidence: Evidence, computed: FloatArray, decoded: FloatArray) -> int:
    """Adds the work of spans that died with their process; returns for how many attempts."""
    record, calls = evidence.record, evidence.calls
    told: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for call in calls.calls:
        for request in call.replica_requests:
            told[request.span.instance][0] += request.computed
            told[request.span.instance][1] += request.decoded
    for request in calls.unjoined_requests:
        told[request.span.instance][0] += request.computed
        told[request.span.instance][1] += request.decoded
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
            and not any(r.span.parent_id == attempt.span.span_id for r in call.replica_requests)
        ]
        if not open_then:
            continue
        residual_computed = max(0.0, float(post.data.get("prefill_tokens", 0)) - told[instance][0])
        residual_decoded = max(0.0, float(post.data.get("decoded_tokens", 0)) - told[instance][1])
        passed_on = float(sum(attempt.passed_on for _, attempt in open_then))
        more = max(0.0, residual_decoded - passed_on) / len(open_then)
        for index, attempt in open_then:
            computed[index] += residual_computed / len(open_then)
            decoded[index] += attempt.passed_on + more
        estimated += len(open_then)
    return estimated


def _shared_prefix(evidence: Evidence) -> int:
    experiment = evidence.record.experiment
    load, profile = experiment.get("load"), experiment.get("profile")
    replayed = isinstance(load, dict) and load.get("trace")
    if not replayed and isinstance(profile, dict) and isinstance(profile.get("shared_prefix"), int):
        return int(profile["shared_prefix"])
    cached = [
        int(call.replica_requests[0].span.attributes.get(names.PREFILL_CACHED, 0))
        for call in evidence.calls.calls
        if call.turn == 0 and call.replica_requests
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
