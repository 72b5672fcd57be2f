"""Calls that were joined once, in the phases of another record of the same spans: of a window of chaos by hand."""

from __future__ import annotations

from dataclasses import replace

from reports.history.calls import Call, Calls, Session, phase_at, slo_phase
from reports.record.reader import Record
from reports.shared.attributes import SessionOutcome

__all__ = ["rephased"]


def rephased(joined: Calls, record: Record) -> Calls:
    """Copies of the calls and sessions, with the phases of `record`; `joined` stays as it is."""
    fault = record.phase("fault")
    copies = {
        id(call): replace(
            call,
            phase=phase_at(record.phases, call.sent_s),
            slo_phase=slo_phase(record.phases, call.sent_s, call.end_s, fault),
        )
        for call in joined.calls
    }
    sessions = [_session(record, session, copies) for session in joined.sessions]
    return replace(joined, calls=list(copies.values()), sessions=sessions)


def _session(record: Record, session: Session, copies: dict[int, Call]) -> Session:
    lost_by = copies[id(session.lost_by)] if session.lost_by is not None else None
    lost_s = lost_by.end_s if lost_by is not None else session.end_s
    return replace(
        session,
        phase=phase_at(record.phases, session.start_s),
        calls=[copies[id(call)] for call in session.calls],
        lost_by=lost_by,
        lost_phase=phase_at(record.phases, lost_s) if session.outcome == SessionOutcome.LOST else "",
    )
