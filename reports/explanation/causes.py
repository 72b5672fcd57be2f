"""What a fault had to do with each lost session: where its last call was, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from reports.explanation.reasons import OUTCOME_TEXTS, kind_of_reason, reason_of, shortened, status_of
from reports.history.calls import Call, Session
from reports.history.encounters import Encounter, FaultImpact
from reports.history.evidence import RUN_SCOPE, Evidence
from reports.history.unseen import unseen_calls
from reports.shared import attributes as names
from reports.shared.attributes import Outcome, SessionOutcome

__all__ = ["Cause", "Lost", "causes_of"]

_LISTED: Final = 4
"""At most this many replicas are named."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why sessions were lost. `where`: what their last calls did when something happened; `then`: what came of it."""

    where: str
    then: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The sessions that one cause cost. `replicas`: where their last calls were, most frequent first."""

    cause: Cause
    sessions: int
    replicas: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a clause after "N sessions lost:"."""
        named = sorted(self.replicas[:_LISTED])
        if len(self.replicas) > _LISTED:
            named.append(f"{len(self.replicas) - _LISTED} more")
        return self.cause.where.replace(_REPLICAS, " or ".join(named) or "a replica") + self.cause.then


_REPLICAS: Final = "{replicas}"


def causes_of(evidence: Evidence) -> list[Lost]:
    """The causes of the lost sessions that count in the measure `sessions_lost`, the one that cost most first."""
    encounters = _encounters(evidence.impacts)
    unseen = frozenset(id(one.call) for one in unseen_calls(evidence))
    sessions: Counter[Cause] = Counter()
    replicas: dict[Cause, Counter[str]] = {}
    for session in evidence.sessions(RUN_SCOPE):
        if session.outcome != SessionOutcome.LOST:
            continue
        cause, replica = _cause(session, encounters, evidence.impacts, unseen)
        sessions[cause] += 1
        replicas.setdefault(cause, Counter())[replica] += 1
    return [
        Lost(cause, count, tuple(name for name, _ in replicas[cause].most_common() if name))
        for cause, count in sessions.most_common()
    ]


_Met = dict[int, list[tuple[FaultImpact, Encounter]]]


def _encounters(impacts: list[FaultImpact]) -> _Met:
    found: _Met = {}
    for impact in impacts:
        for encounter in impact.encounters:
            found.setdefault(id(encounter.call), []).append((impact, encounter))
    return found


def _active(impacts: list[FaultImpact], call: Call) -> str:
    """The kinds of the faults of the load or the gateway that were active while the call was open."""
    kinds = [
        impact.fault.kind
        for impact in impacts
        if not impact.on_replicas
        and impact.fault.injected_s is not None
        and call.end_s >= impact.fault.injected_s
        and call.sent_s <= (impact.fault.reverted_s if impact.fault.reverted_s is not None else call.sent_s)
    ]
    return " and ".join(dict.fromkeys(kinds))


def _cause(session: Session, encounters: _Met, impacts: list[FaultImpact], unseen: frozenset[int]) -> tuple[Cause, str]:
    """The cause, and the replica of the call. `unseen`: ids of the calls that a dead replica may have refused."""
    call = session.lost_by
    during = "" if call is None else _active(impacts, call)
    if call is None:
        return Cause("received nothing more until the end of the run", ""), ""
    met = [(impact, found) for impact, found in encounters.get(id(call), []) if found.interrupted]
    if met:
        impact, encounter = min(met, key=lambda pair: pair[1].met_s)
        return Cause(_where(impact, encounter), _then(call, encounter)), encounter.from_replica
    other = [impact for impact, _ in encounters.get(id(call), [])]
    if other and session.fault == other[0].fault.id:
        return Cause(f"was one that the fault {other[0].fault.kind} added", _then(call)), ""
    if other:
        return Cause(f"had a call that the fault {other[0].fault.kind} hit", _then(call)), ""
    if id(call) in unseen:
        return Cause("had a call that a dead replica may have refused unseen", _then(call)), ""
    if during:
        return Cause(
            f"had a call that no fault touched, while the fault {during} was active", _then(call)
        ), call.replica
    return Cause("had a call that no fault touched", _then(call)), call.replica


def _where(impact: FaultImpact, encounter: Encounter) -> str:
    """What the call did on the faulted replica."""
    fault, call = impact.fault, encounter.call
    before_the_fault = fault.injected_s is not None and call.sent_s <= fault.injected_s
    streaming = call.ttft_s + call.sent_s <= encounter.met_s
    had = "had a stream on" if streaming else "waited for a first token from"
    if not before_the_fault and not streaming:
        had = "was sent to"
    if fault.traits.stops_process:
        return f"{had} {_REPLICAS} {'when' if before_the_fault else 'while'} the fault {fault.kind} stopped it"
    if fault.traits.silences_calls:
        return f"{had} {_REPLICAS} {'when' if before_the_fault else 'while'} the fault {fault.kind} silenced it"
    return f"{had} {_REPLICAS} while it had the fault {fault.kind}"


def _then(call: Call, encounter: Encounter | None = None) -> str:
    """What came of the call. `encounter`: with the fault that interrupted it."""
    if call.span.attributes.get(names.SILENTLY_TRUNCATED):
        return ", and a part of the answer was passed off as a complete one"
    carried_on = ""
    if encounter is not None:
        later = [attempt for attempt in call.attempts if attempt.start_s > encounter.met_s]
        carried_on = ", and nothing carried it on" if not later else ", and every further attempt failed"
    if call.outcome in (Outcome.TRUNCATED, Outcome.RESET):
        return carried_on or ", and the answer ended early"
    if call.outcome in (Outcome.STALLED, Outcome.TIMEOUT):
        return f"{carried_on or ', and'} until the client's limit" if carried_on else ", and got no answer in time"
    return f"{carried_on}{'; ' if carried_on else ', and '}the client got {_received(call, words=not carried_on)}"


def _received(call: Call, *, words: bool) -> str:
    """What the client got in place of an answer. `words`: with those that came with it."""
    status, reason = status_of(call), reason_of(call)
    said = "" if not words or reason == OUTCOME_TEXTS.get(call.outcome) else f" ({shortened(kind_of_reason(reason))})"
    if status is not None and status >= 300:
        return f"status {status}{said}"
    received: dict[str, str] = {
        Outcome.ERROR_EVENT: f"an error in the stream{said}",
        Outcome.CORRUPT: f"a damaged answer{said}",
        Outcome.REFUSED: f"no connection{said}",
    }
    return received.get(call.outcome, f"{call.outcome}{said}")
