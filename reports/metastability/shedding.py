"""Confirmation by shedding: phase `shedding` (no new session for a grace period), then `readmission` (they come again).

Well in the readmission, down before it, at the same load: both states are stable at that load.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.history.evidence import Evidence

__all__ = ["Shedding", "read_shedding"]


@dataclass(frozen=True, slots=True)
class Shedding:
    """`share`: good / offered of the calls sent in the readmission; None where `why_not` says why there is none."""

    begin_s: float
    readmitted_s: float
    share: float | None
    why_not: str = ""


def read_shedding(evidence: Evidence) -> Shedding | None:
    """What shedding did; None where nothing was shed."""
    record = evidence.record
    shed, back = record.phase("shedding"), record.phase("readmission")
    if shed is None:
        return None
    if back is None or not record.finished("readmission"):
        return Shedding(shed.start_s, shed.end_s, None, "the record ends before the sessions that came back did")
    sent = (evidence.columns.sent >= back.start_s) & (evidence.columns.sent < back.end_s)
    if not sent.any():
        return Shedding(shed.start_s, back.start_s, None, "no call was sent once sessions were let back")
    return Shedding(shed.start_s, back.start_s, float(evidence.columns.good[sent].mean()))
