"""The failed calls of a run, grouped by their reason, largest group first."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from reports.explanation.reasons import kind_of_reason, reason_of, status_of
from reports.history.calls import Call
from reports.history.evidence import Evidence
from reports.shared.attributes import Outcome

__all__ = ["MAX_GROUPS", "failure_groups"]

MAX_GROUPS: Final = 50
"""More groups than this are put together in one last group."""


class _Key(NamedTuple):
    outcome: str
    status: int | None
    kind: str
    pool: str
    phase: str


def failure_groups(evidence: Evidence) -> list[dict[str, Any]]:
    """The section `failures` of the report.

    Calls with the same outcome, status, reason (numbers and ids apart), pool and phase are one group. Its `example` is
    the first of its calls that lost a session, else its first call; `message` is the reason of that call. Calls that
    the load generator itself ended did not fail.
    """
    losing = {id(session.lost_by) for session in evidence.calls.sessions if session.lost_by is not None}
    calls: dict[_Key, list[Call]] = {}
    for call in evidence.calls.calls:
        if not call.ok and (call.outcome != Outcome.ABANDONED or id(call) in losing):
            key = _Key(call.outcome, status_of(call), kind_of_reason(reason_of(call)), call.pool, call.slo_phase)
            calls.setdefault(key, []).append(call)
    ordered = sorted(calls.items(), key=lambda item: (-len(item[1]), item[1][0].sent_s))
    groups = [_group(key, members, losing) for key, members in ordered[:MAX_GROUPS]]
    rest = [call for _, members in ordered[MAX_GROUPS:] for call in members]
    if rest:
        other = _Key("", None, "", "", "")
        groups.append(_group(other, rest, losing) | {"message": f"{len(ordered) - MAX_GROUPS} other reasons"})
    return groups


def _group(key: _Key, calls: list[Call], losing: set[int]) -> dict[str, Any]:
    example = next((call for call in calls if id(call) in losing), calls[0])
    return {
        "outcome": key.outcome,
        "status": key.status,
        "message": reason_of(example),
        "pool": key.pool,
        "phase": key.phase,
        "calls": len(calls),
        "sessions_lost": sum(1 for call in calls if id(call) in losing),
        "example": {
            "session": example.session,
            "agent": example.agent,
            "turn": example.turn,
            "key": f"{example.session}/{example.agent}#{example.turn}",
        },
    }
