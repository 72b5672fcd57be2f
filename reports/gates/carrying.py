"""Whether a gateway that is not ours carries the load: if it serves next to nothing, no gate says what a fault did.

Judged are the calls sent in the baseline that had ended by its end, or were old enough: by three times the objective
for the first token. One that its client abandoned earlier, without a token, is not judged. (Of a run that a guardrail
stopped before, also those of the warm-up.) A call was served if its first token came within that time, or if it ended
ok with no more than that beside the time that its tokens may take (a gateway may hold an answer back until it is
complete). If fewer than half were served, the gateway carries too little.

No such finding: with fewer than 10 judged calls, or if most of the calls that were not served waited or failed at
replicas of ours, or were at one for longer than such a call may take. Then the stack is the limit, and its gates say
so.

It is *down*, and not slow, if most of the calls that were not served failed because their connection was refused or
closed, from a moment on after which it served none. Nothing is said then of calls per second, or of a smaller load.

Its own process was the limit if its busiest thread used at least 85 % of a core, on average over the baseline, while
everybody else was on time. Only then the run fails. A thread that waited for a CPU shows a machine with too few cores.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from reports.gates.judging import GateResult
from reports.history.calls import Call
from reports.history.evidence import Evidence
from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from reports.shared.thresholds import CARRIED_SHARE, JUDGED_CALLS, SERVED_WITHIN
from reports.shared.wording import number_text

__all__ = ["BUSY_CORES", "Carrying", "Limit", "carrying", "undecided"]

BUSY_CORES: Final = 0.85
"""Cores that the busiest thread of a gateway uses, at least, if the gateway itself is the limit."""
_SAMPLED: Final = 0.5
"""Share of the baseline's seconds that must have a sample of the gateway's CPU."""

_WHY_DOWN: Final = "it died or stopped listening"
_HELPS_DOWN: Final = "the log of the gateway says why it ended; start it again, then run again"

Limit = Literal["gateway", "other", "unknown"]

_DOWN: Final = {Outcome.REFUSED, Outcome.RESET}
"""How a call ends at a gateway that died, or stopped listening."""

_NOT_AT_FAULT: Final = {Outcome.OK, Outcome.ABANDONED, Outcome.RESET}
"""How a request at a replica ends that the replica did not fail: a gateway or a client may have left."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """The finding that a gateway carries too little. `calls_per_s`: calls that ended ok, per second. `where`: of which
    part of the run, in words.

    `limit`: "gateway": its own process was the limit; "other": it was not; "unknown". `busiest`: cores used by its
    busiest thread (None: not measured). `why`: what is known of the limit, in words. `helps`: what a user can do.
    `down_s`: since when it refused connections, seconds since zero; None where it did not.
    """

    served: int
    judged: int
    calls_per_s: float
    limit: Limit
    busiest: float | None
    why: str
    helps: str
    where: str
    down_s: float | None = None

    @property
    def reason(self) -> str:
        """Why nothing can be decided."""
        served = f"it served {self.served:,} of {self.judged:,} calls {self.where}"
        if self.down_s is None:
            return f"the gateway cannot carry the load: {served}"
        return f"the gateway refused or closed connections from {number_text(round(self.down_s, 1))} s on: {served}"

    @property
    def text(self) -> str:
        if self.down_s is not None:
            return f"{self.reason}; {self.why}"
        rate = self.calls_per_s
        carried = number_text(round(rate, 1) if rate < 10 else round(rate))
        unit = "call/s" if carried == "1" else "calls/s"
        return f"{self.reason}, and carries about {carried} {unit}; {self.why}"


def carrying(evidence: Evidence, doubts: tuple[str, ...]) -> Carrying | None:
    """The finding; None where the load was carried, or where no gateway but ours is in front of our replicas.

    `doubts`: why this machine was too slow, or is not known to be fast enough.
    """
    record = evidence.record
    baseline, ttft_s = record.phase("baseline"), record.slo.get("ttft")
    if not record.foreign_gateway or baseline is None or not ttft_s:
        return None
    within_s = SERVED_WITHIN * ttft_s
    begin_s, where = baseline.start_s, "in the first baseline" if record.repeats("baseline") else "in the baseline"
    if not record.finished("baseline"):
        begin_s, where = 0.0, "before the run was stopped"
    end_s = baseline.end_s
    calls = [call for call in evidence.calls.calls if _is_judged(call, begin_s, end_s, within_s)]
    tpot_s = record.slo.get("tpot", 0.0)
    missed = [call for call in calls if not _served(call, within_s, tpot_s)]
    served = len(calls) - len(missed)
    if len(calls) < JUDGED_CALLS or served >= CARRIED_SHARE * len(calls):
        return None
    if sum(_at_a_replica(call, ttft_s, within_s, tpot_s) for call in missed) > len(missed) / 2:
        return None
    ended = sum(call.ok and begin_s <= call.end_s < end_s for call in evidence.calls.calls)
    used = _busiest(evidence, begin_s, end_s)
    down_s = _down_s(missed, [call.sent_s for call in calls if _served(call, within_s, tpot_s)])
    limit, why, helps = _limit(used, doubts) if down_s is None else ("unknown", _WHY_DOWN, _HELPS_DOWN)
    rate = ended / (end_s - begin_s)
    return Carrying(served, len(calls), rate, limit, used[0] if used else None, why, helps, where, down_s)


def undecided(results: Iterable[GateResult], found: Carrying | None) -> list[GateResult]:
    """The results where the load was not carried: no gate is decided."""
    if found is None:
        return list(results)
    return [
        replace(
            result,
            verdict=result.gate.on_inconclusive or "inconclusive",
            judged="inconclusive",
            why=f"{result.why}; but {found.reason}",
        )
        if result.judged != "inconclusive"
        else result
        for result in results
    ]


def _is_judged(call: Call, begin_s: float, end_s: float, within_s: float) -> bool:
    """Whether the call says something. One that its client abandoned too early for an answer says nothing."""
    if not begin_s <= call.sent_s < end_s:
        return False
    if call.outcome == Outcome.ABANDONED and call.end_s - call.sent_s < within_s and not call.ttft_s <= within_s:
        return False
    return call.sent_s <= end_s - within_s or (call.end_s < end_s and call.outcome != Outcome.ABANDONED)


def _served(call: Call, within_s: float, tpot_s: float) -> bool:
    return call.ttft_s <= within_s or (call.ok and call.e2e_s <= within_s + call.tokens * tpot_s)


def _at_a_replica(call: Call, ttft_s: float, within_s: float, tpot_s: float) -> bool:
    """Whether a replica of ours is the reason that a call was not served.

    It came in time, and waited in the queue, failed, or was open there for longer than a call may take to be served:
    also by the tokens that it decoded, if there is an objective for them.
    """
    for request in call.replica_requests:
        if request.start_s > call.sent_s + within_s:
            continue
        failed = str(request.span.attributes.get(names.OUTCOME, "")) not in _NOT_AT_FAULT
        limit_s = within_s + request.decoded * tpot_s if tpot_s or not request.decoded else math.inf
        if failed or (request.queue_s or 0.0) > ttft_s or request.end_s - request.start_s > limit_s:
            return True
    return False


def _down_s(missed: list[Call], served_s: list[float]) -> float | None:
    """Since when connections failed, if most of the missed calls failed so and none was served afterwards.

    `served_s`: when the calls that were served were sent. Between them, a gateway fails connections under load.
    """
    last_s = max(served_s, default=-math.inf)
    failed = [call for call in missed if call.outcome in _DOWN]
    after = [call for call in failed if call.end_s >= last_s]
    if not any(call.outcome == Outcome.REFUSED for call in after):
        return None  # something listens, and closes connections
    return min(call.end_s for call in after) if len(after) > len(missed) / 2 else None


def _busiest(evidence: Evidence, begin_s: float, end_s: float) -> tuple[float, float] | None:
    """The cores that the busiest thread of the gateway used, and for which it waited, on average over this time.

    None where too little is known.
    """
    samples = [s for s in evidence.record.gateway_cpu if begin_s < s.at_s <= end_s + 1]
    if len(samples) < max(1.0, _SAMPLED * (end_s - begin_s)):
        return None
    return sum(s.busiest for s in samples) / len(samples), sum(s.waiting for s in samples) / len(samples)


def _limit(used: tuple[float, float] | None, doubts: tuple[str, ...]) -> tuple[Limit, str, str]:
    """Whether its own process was the limit, that in words, and what helps."""
    fits = "--scale auto plays the run with a load that it carries"
    unknown = "whether its own process was the limit is not known"
    if used is None:
        why = f"{unknown}, because its use of CPU could not be measured"
        return "unknown", why, f"{fits}. Or give it more workers, or a machine of its own"
    ran, waited = used
    text = f"its busiest thread used {ran:.0%} of a core"
    machine = f"{fits}. Or use a machine with more free cores"
    if ran < BUSY_CORES <= ran + waited:
        return "unknown", f"{unknown}: {text}, and waited for a free one {waited:.0%} of the time", machine
    if doubts:
        return "unknown", f"{unknown}: {text}, but {doubts[0]}", machine
    if ran >= BUSY_CORES:
        return "gateway", f"its own process was the limit: {text}", f"more workers of the gateway. {fits}"
    helps = f"look at the limits that the gateway was given: connections, rates, timeouts. {fits}"
    return "other", f"its own process was not the limit: {text}", helps
