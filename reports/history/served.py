"""Whether a gateway that is not ours has the replicas of this run as its upstreams, all of them and only them.

Seen from the two ends: a call that ended ok and came to no replica was answered elsewhere, and a replica that got no
call may be no upstream. What cannot be known is not said:

- A request at a replica without trace context and without a marker may be of any call. Each of them may be one of the
  calls that seem to have come to no replica.
- Without the lines of the replicas (`reports.record.requests`), spans that were lost with a process are missing.
- With few sessions, a replica may have got none by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reports.history.calls import Calls, ReplicaRequest
from reports.record.reader import Record
from reports.shared import attributes as names
from reports.shared.phases import GATE_PHASES

__all__ = ["Elsewhere", "answered_elsewhere", "replicas_without_call"]

_SESSIONS_EACH: Final = 5
"""A gateway may keep a session at its replica. With so many sessions per replica, all together, it is below 7 % that
chance leaves one of 2 to 12 without any."""
_UNEXPLAINED: Final = 1
"""Calls that may seem to have come to no replica: a trace context may have joined a request to another call."""
_UNEXPLAINED_SHARE: Final = 0.001
"""The same as a share of the calls that ended ok: as many as spans may be lost (`reports.gates.validity`)."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`calls` of `of` calls that ended ok in the measured time came to no replica of this run, at least."""

    calls: int
    of: int

    @property
    def is_doubt(self) -> bool:
        """Whether there are more than a wrong join explains."""
        return self.calls > max(_UNEXPLAINED, _UNEXPLAINED_SHARE * self.of)

    @property
    def text(self) -> str:
        return (
            f"{self.calls:,} of {self.of:,} calls that ended ok came to no replica of this run: "
            "the gateway has other upstreams, or answers by itself"
        )


def answered_elsewhere(record: Record, calls: Calls) -> Elsewhere | None:
    """The calls that ended ok and that no replica of this run has; None where it is not known."""
    if not record.foreign_gateway or calls.has_gateway or not record.requests:
        return None
    ended_ok = [call for call in calls.calls if call.ok and call.phase in GATE_PHASES]
    nowhere = sum(not call.replica_requests for call in ended_ok)
    anybodys = sum(1 for _ in _anybodys(calls))
    return Elsewhere(max(0, nowhere - anybodys), len(ended_ok))


def replicas_without_call(
    record: Record, calls: Calls, begin_s: float = -math.inf, end_s: float = math.inf
) -> tuple[str, ...]:
    """The replicas that got no call of this run in [begin_s, end_s), behind a gateway that the user configured.

    Empty also where so few sessions came to replicas that chance may leave one without.
    """
    target = record.experiment.get("target")
    if not record.foreign_gateway or calls.has_gateway or not isinstance(target, dict) or "url" not in target:
        return ()
    requests = [(call.session, request) for call in calls.calls for request in call.replica_requests]
    requests += [(f"request {number}", request) for number, request in enumerate(_anybodys(calls))]
    during = [(whose, request.replica) for whose, request in requests if begin_s <= request.start_s < end_s]
    got = {replica for _, replica in during}
    if len({whose for whose, _ in during}) < _SESSIONS_EACH * len(record.replicas):
        return ()
    return tuple(replica.name for replica in record.replicas if replica.name not in got)


def _anybodys(calls: Calls) -> Iterator[ReplicaRequest]:
    """The requests that belong to no call that is known, and may be of any: without a marker, or with one of ours."""
    sessions = {session.id for session in calls.sessions}
    for request in calls.unjoined_requests:
        session = request.span.attributes.get(names.CONVERSATION_ID)
        if session is None or session in sessions:
            yield request
