"""The calls that met a fault, and how long each was interrupted.

A call *met* a fault when it was open on, or attempted at, a faulted replica between injection and revert; for a fault
with a share or selectors of requests, when the fault selected it. It was *interrupted* when an attempt at a faulted
replica did not complete it. Its `failover_s` is the time from the last good token before (or the send) to the first
good token after.

Token numbers, not clocks, decide which tokens came from which attempt: the gateway's attempt has the number of its
first token and how many it passed on, and the client's chunk log has the time of each token.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.history.calls import Attempt, Call, Calls
from reports.history.gateway_counts import known_at, refused_between
from reports.history.served import replicas_without_call
from reports.record.entries import FaultRecord
from reports.record.reader import Record
from reports.shared.attributes import Outcome

__all__ = ["Encounter", "FaultImpact", "meet_faults"]

SILENCE_S: Final = 1.0
"""Seconds: a call that stays with a silenced replica is interrupted when it receives nothing for longer than this."""


_TOLD_LATE_S: Final = 1.0
"""The gateway's statistics may be read this much later, seconds."""
_EXPECTED: Final = 3.0
"""With so many calls due by the rate before (Poisson), that none was sent by chance has a probability below 5 %."""


@dataclass(frozen=True, slots=True)
class Encounter:
    """One call that met one fault.

    `met_s`: when, in seconds since zero. `failover_s`: length of the interruption, infinite if the call never
    continued, NaN if it was not interrupted. `saved`: the call ended ok. `died_s`, `resumed_s`: begin and end of the
    interruption. `to_replica`: the replica that continued the call, "" if none did.
    """

    call: Call
    fault: str
    met_s: float
    interrupted: bool
    failover_s: float
    saved: bool
    from_replica: str
    to_replica: str
    died_s: float
    resumed_s: float


@dataclass(frozen=True, slots=True)
class FaultImpact:
    """A fault and the calls that met it. `hits`: as counted where it was applied, else the attempts that met it."""

    fault: FaultRecord
    encounters: tuple[Encounter, ...]
    attempts: int
    hits: int | None
    silenced: bool = False
    """A target refused an attempt, or its targets served before and fell silent: no call is known to have met it."""
    unserved: tuple[str, ...] = ()
    """Targets that got no call until the fault was over: a gateway of the user's may not have them as upstreams."""

    @property
    def injected(self) -> bool:
        return self.fault.injected_s is not None

    @property
    def on_replicas(self) -> bool:
        """Whether the fault is on replicas, not on the load or the gateway itself."""
        return self.fault.traits.on_replicas and bool(self.fault.targets)

    @property
    def confirmed(self) -> bool:
        return "confirmed" in self.fault.stages

    @property
    def hits_are_known(self) -> bool:
        """Whether the record can tell which calls met it."""
        return self.fault.traits.hits_are_known

    @property
    def hit_something(self) -> bool:
        """Whether it met a call. What a command of the user's met, only the user knows: it counts once confirmed."""
        if not self.hits_are_known:
            return self.confirmed
        # The count at the place of the fault is more exact than the calls that were there at the time.
        return bool(self.fault.hits) if self.fault.hits is not None else bool(self.encounters) or self.silenced


def meet_faults(record: Record, calls: Calls) -> list[FaultImpact]:
    """The impact of each fault of the record."""
    end_s = record.end_s()
    return [_impact(record, fault, calls, end_s) for fault in record.faults]


def _impact(record: Record, fault: FaultRecord, calls: Calls, end_s: float) -> FaultImpact:
    injected = fault.injected_s
    if injected is None:
        return FaultImpact(fault, (), 0, fault.hits)
    reverted = fault.reverted_s if fault.reverted_s is not None else end_s
    if not fault.traits.on_replicas:
        return _off_replicas(fault, calls, injected)
    targets = frozenset(fault.targets)
    encounters: list[Encounter] = []
    attempts = 0
    for call in calls.calls:
        if call.end_s < injected or call.sent_s > reverted:
            continue
        met, first_s = _met(fault, call, targets, injected, reverted)
        if first_s is None:
            continue
        attempts += max(1, len(met))
        encounters.append(_encounter(fault, call, met, first_s, reverted))
    known = calls.sees_upstream
    return FaultImpact(
        fault,
        tuple(encounters),
        attempts,
        fault.hits if fault.hits is not None or not known else attempts,
        _silenced(record, fault, calls, injected, reverted),
        tuple(name for name in replicas_without_call(record, calls, end_s=reverted) if name in targets),
    )


def _silenced(record: Record, fault: FaultRecord, calls: Calls, injected: float, reverted: float) -> bool:
    """Whether a fault of processes took capacity away from the load, also if nothing was in flight when it began.

    Either the gateway counted attempts that a target refused; or every target served calls before, and then either
    again, or so many before that `_EXPECTED` calls or more were due meanwhile. A call that a target served while it was
    stopped is not looked for: it met the fault.
    """
    if not fault.traits.stops_process or calls.has_gateway or not calls.has_replicas:
        return False
    if known_at(record.upstreams, injected):
        refused, _ = refused_between(record.upstreams, injected, reverted + _TOLD_LATE_S, fault.targets)
        if refused > 0:
            return True
    since = min((call.sent_s for call in calls.calls), default=injected)
    for name in fault.targets:
        began = [a.start_s for call in calls.calls for a in call.attempts if a.replica == name]
        before = sum(at < injected for at in began)
        rate = before / max(1e-9, injected - since)
        again = any(at >= reverted for at in began)
        if not before or not (again or rate * (reverted - injected) >= _EXPECTED):
            return False
    return bool(fault.targets)


def _off_replicas(fault: FaultRecord, calls: Calls, injected: float) -> FaultImpact:
    """The impact of a fault of the load or of the gateway: the calls of sessions that it added, and those that it hit.

    Of a fault of the user's system, none is known. None is interrupted: there is no replica to fail over from.
    """
    added = {session.id for session in calls.sessions if session.fault == fault.id}
    met = [call for call in calls.calls if call.session in added or fault.id in call.hits]
    encounters = [
        Encounter(
            call, fault.id, max(injected, call.sent_s), False, math.nan, call.ok, call.replica, "", math.nan, math.nan
        )
        for call in met
    ]
    return FaultImpact(fault, tuple(encounters), sum(max(1, len(call.attempts)) for call in met), fault.hits)


def _met(
    fault: FaultRecord, call: Call, targets: frozenset[str], injected: float, reverted: float
) -> tuple[list[Attempt], float | None]:
    """The attempts of `call` that met the fault, and the time of the first; None: it did not meet the fault."""
    hit = [request for request in call.replica_requests if fault.id in request.hits]
    open_then = [a for a in call.attempts if a.replica in targets and a.start_s < reverted and a.end_s > injected]
    if fault.picks_requests:
        if not hit:
            return [], None
        hit_ids = {span_id for request in hit for span_id in (request.span.parent_id, request.span.span_id)}
        hit_replicas = {request.replica for request in hit}
        exact = [a for a in open_then if a.span.span_id in hit_ids]
        met = exact or [a for a in open_then if a.replica in hit_replicas]
    else:
        met = open_then
    starts = [max(injected, a.start_s) for a in met] + [max(injected, request.start_s) for request in hit]
    if not starts and not call.attempts:
        starts = [
            max(injected, r.start_s)
            for r in call.replica_requests
            if not fault.picks_requests and r.replica in targets and r.start_s < reverted and r.end_s > injected
        ]
    return met, min(starts, default=None)


def _encounter(fault: FaultRecord, call: Call, met: Sequence[Attempt], met_s: float, reverted: float) -> Encounter:
    worst = (math.nan, met_s, math.nan, "", "")
    interrupted = False
    for attempt in met:
        gap = _interruption(fault, call, attempt, max(met_s, attempt.start_s), reverted)
        if gap is None:
            continue
        if not interrupted or gap[0] > worst[0]:
            worst = (*gap, attempt.replica)
        interrupted = True
    if not call.ok and call.outcome != Outcome.ABANDONED and not math.isinf(worst[0]):
        interrupted = True
        last = max((at for at, _ in _tokens(call)), default=call.sent_s)
        worst = (math.inf, last, math.inf, "", met[-1].replica if met else call.replica)
    failover, died, resumed, to_replica, from_replica = worst
    return Encounter(
        call, fault.id, met_s, interrupted, failover, call.ok, from_replica or call.replica, to_replica, died, resumed
    )


_Gap = tuple[float, float, float, str]


def _interruption(fault: FaultRecord, call: Call, attempt: Attempt, met_s: float, reverted: float) -> _Gap | None:
    """Length, begin, end and successor of the interruption of the call at `attempt`; None if it was not interrupted."""
    client_ok = attempt.client_attempt >= len(call.client_attempts) or call.client_attempts[
        attempt.client_attempt
    ].outcome in ("", Outcome.OK)
    if attempt.ok and client_ok:
        return _silence(fault, call, attempt, met_s)
    if call.ok and attempt.outcome == Outcome.ABANDONED and client_ok and not _later(call, attempt):
        return None
    if call.ok and client_ok and not _later(call, attempt):
        return None  # only the end of the stream was missing, and the gateway completed it
    before, after = _around(call, attempt)
    died = before if before is not None else call.sent_s
    successor = _successor(call, attempt)
    if after is not None:
        return after - died, died, after, successor
    if call.ok and successor:
        return _without_log(call, attempt, successor)
    return math.inf, died, math.inf, ""


def _later(call: Call, attempt: Attempt) -> list[Attempt]:
    return [a for a in call.attempts if a.start_s > attempt.start_s and a is not attempt]


def _successor(call: Call, attempt: Attempt) -> str:
    later = _later(call, attempt)
    carrying = [a for a in later if a.ok or a.passed_on]
    return carrying[0].replica if carrying else later[-1].replica if later and call.ok else ""


def _tokens(call: Call) -> list[tuple[float, int]]:
    return [chunk for client in call.client_attempts for chunk in client.chunks]


def _around(call: Call, attempt: Attempt) -> tuple[float | None, float | None]:
    """Times of the last token up to the end of `attempt` and of the first one after it, by token number."""
    before: float | None = None
    for index, client in enumerate(call.client_attempts):
        limit = math.inf if index < attempt.client_attempt else -1
        if index == attempt.client_attempt:
            limit = attempt.offset + attempt.passed_on
        seen = 0
        for at, tokens in client.chunks:
            seen += tokens
            if seen > limit:
                return before, at
            before = at
    return before, None


def _silence(fault: FaultRecord, call: Call, attempt: Attempt, met_s: float) -> _Gap | None:
    """The longest gap after the fault of a call that stayed with its replica; None below `SILENCE_S`."""
    if not fault.traits.silences_calls:
        return None
    times = [max(call.sent_s, attempt.start_s)] + [at for at, _ in _tokens(call) if at > attempt.start_s]
    gaps = [(after - before, before, after) for before, after in itertools.pairwise(times) if after > met_s]
    longest = max(gaps, default=(0.0, 0.0, 0.0))
    return (*longest, attempt.replica) if longest[0] > SILENCE_S else None


def _without_log(call: Call, attempt: Attempt, successor: str) -> _Gap:
    """Without a chunk log: the call's longest gap if it had tokens before, else its TTFT."""
    if attempt.offset + attempt.passed_on > 0 and not math.isnan(call.max_gap_s):
        return call.max_gap_s, attempt.end_s, attempt.end_s + call.max_gap_s, successor
    return call.ttft_s, call.sent_s, call.sent_s + call.ttft_s, successor
