"""Attempts that nobody of ours saw: behind a gateway that is not ours, a dead replica refuses them without a trace.

Who counted them, the best first:

    the gateway's own statistics           exact (`Refused.exact`), where they could be read (`targets.adapters`)
    the same, where they are not exact     a lower bound (`Refused.least`)
    the kernel, for the whole machine      an upper bound (`chaos.runner.refusals`): other programs are in it
    nobody                                 no upper bound

What cannot be known exactly becomes an interval (`reports.measures.measurement.bounded`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reports.history.calls import Call, ClientAttempt
from reports.history.deaths import DeadTime, dead_times, mortal
from reports.history.evidence import Evidence
from reports.history.gateway_counts import known_at, refused_between
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = [
    "UNKNOWN",
    "Refused",
    "UnseenCall",
    "refused_attempts",
    "refused_note",
    "refusing",
    "unseen_calls",
    "unseen_limit",
]

UNKNOWN: Final = math.inf
"""The number of unseen attempts has no upper bound."""

_COUNTED_LATE_S: Final = 0.3
"""The kernel's count may be read this much later, seconds."""
_TOLD_LATE_S: Final = 1.0
"""The gateway's statistics may be read this much later, seconds. One that writes a log does so as a call ends."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Attempts that dead replicas refused: between `least` and `most`, which may be `UNKNOWN`; if exact, `most`."""

    most: float
    exact: bool
    at_least: float = 0.0
    """Of an exact number, 0."""

    @property
    def least(self) -> float:
        return self.most if self.exact else self.at_least

    def __bool__(self) -> bool:
        return self.most > 0


@dataclass(frozen=True, slots=True)
class UnseenCall:
    """A call that a dead replica may have refused unseen. `failover_s`: its interruption at most, seconds."""

    call: Call
    failover_s: float


def refused_attempts(evidence: Evidence, phases: Iterable[str]) -> Refused:
    """The attempts that dead replicas refused in these phases, and that no replica's span has."""
    windows = [phase for phase in evidence.record.phases if phase.name in set(phases)]
    found = [_refused_in(evidence, dead) for dead in dead_times(evidence, windows)]
    if all(one.exact for one in found):
        return Refused(sum(one.most for one in found), exact=True)
    return Refused(sum(one.most for one in found), exact=False, at_least=sum(one.least for one in found))


def refused_note(refused: Refused) -> str:
    """What the value of a measure leaves out, in words, if it has those that were refused at least."""
    if math.isinf(refused.most):
        return "connections that dead replicas refused are not in it, and nobody counted them"
    return f"up to {refused.most - refused.least:.0f} connections that dead replicas may have refused are not in it"


def unseen_limit(evidence: Evidence) -> float:
    """How many calls dead replicas may have refused unseen at most: one for each attempt that was refused."""
    return refused_attempts(evidence, [phase.name for phase in evidence.record.phases]).most


def refusing(evidence: Evidence) -> frozenset[str]:
    """The replicas that may have refused attempts unseen; none where no connection was refused."""
    return mortal(evidence) if unseen_limit(evidence) else frozenset()


def unseen_calls(evidence: Evidence) -> list[UnseenCall]:
    """The calls that may have met a dead replica unseen: without a token as one died, or sent while it was dead.

    Those that were seen to meet the fault are not among them; it is empty where no connection was refused. A call that
    ended ok was interrupted for at most its time to first token; one that failed never went on, whatever else it met.
    """
    cached = evidence.cache.get("unseen_calls")
    if not isinstance(cached, list):
        cached = evidence.cache["unseen_calls"] = _unseen_calls(evidence)
    return list(cached)


def _unseen_calls(evidence: Evidence) -> list[UnseenCall]:
    seen = {id(encounter.call) for impact in evidence.impacts for encounter in impact.encounters}
    found = []
    for dead in dead_times(evidence, evidence.record.phases):
        if not _refused_in(evidence, dead):
            continue
        for call in evidence.calls.calls:
            waited_until_s = min(call.end_s, call.sent_s + call.ttft_s)
            if id(call) in seen or call.outcome == Outcome.ABANDONED:
                continue
            if call.sent_s <= dead.end_s and waited_until_s >= dead.begin_s:
                seen.add(id(call))
                found.append(UnseenCall(call, call.ttft_s if call.ok else math.inf))
    return found


def _refused_in(evidence: Evidence, dead: DeadTime) -> Refused:
    """Attempts refused in this time. Computed once per run and time, cached in the evidence."""
    key = f"refused from {dead.begin_s!r} to {dead.end_s!r} until {dead.until_s!r}"
    cached = evidence.cache.get(key)
    if not isinstance(cached, Refused):
        cached = evidence.cache[key] = _count_refused(evidence, dead)
    return cached


def _count_refused(evidence: Evidence, dead: DeadTime) -> Refused:
    posts, begin_s = evidence.record.upstreams, dead.begin_s
    open_until_s = max([dead.end_s, *(call.end_s for call in evidence.calls.calls if call.sent_s <= dead.end_s)])
    told_s = min(open_until_s + _TOLD_LATE_S, dead.until_s)
    least = 0.0
    if known_at(posts, begin_s) and known_at(posts, told_s):
        grown, exact = refused_between(posts, begin_s, told_s)
        if exact:
            return Refused(grown, exact=True)
        least = grown
    counts = evidence.record.refused
    if not counts:
        return Refused(UNKNOWN, exact=False, at_least=least)
    own = sum(
        _was_refused(attempt) and begin_s <= attempt.start_s <= dead.end_s
        for call in evidence.calls.calls
        for attempt in call.client_attempts
    )
    most = _grown(counts, begin_s, min(dead.end_s + _COUNTED_LATE_S, dead.until_s)) - own
    return Refused(max(least, most), exact=False, at_least=least)


def _was_refused(attempt: ClientAttempt) -> bool:
    """Whether the kernel counted this attempt of the client: its outcome alone may stand for another error too."""
    said = str(attempt.span.attributes.get(names.ERROR_MESSAGE) or "").casefold()
    return attempt.outcome == Outcome.REFUSED and ("connection refused" in said or "econnrefused" in said)


def _grown(counts: Iterable[tuple[float, int]], begin_s: float, end_s: float) -> float:
    """By how much a count has grown in this time."""
    seen = list(counts)
    before = max((count for at_s, count in seen if at_s <= begin_s), default=0)
    after = max((count for at_s, count in seen if at_s <= end_s), default=0)
    return float(after - before)
