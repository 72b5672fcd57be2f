"""Confirmation by shedding: phase `shedding` (no new session for a grace period), then `readmission` (admitted again).

Where the stack is down before and healthy in the readmission at the same load, both states are stable at that load.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.history.evidence import Evidence

__all__ = ["Shedding", "read_shedding"]


@dataclass(frozen=True, slots=True)
class Shedding:
    """`share`: good / offered of the calls sent in the readmission; None: unknown, see `why_not`. Times in seconds."""

    begin_s: float
    readmitted_s: float
    share: float | None
    why_not: str = ""


def read_shedding(evidence: Evidence) -> Shedding | None:
    """The result of shedding; None where the run had no shedding."""
    record = evidence.record
    shed, back = record.phase("shedding"), record.phase("readmission")
    if shed is None:
        return None
    if back is None or not record.finished("readmission"):
        return Shedding(shed.start_s, shed.end_s, None, "the record ends before the end of the readmission")
    sent = (evidence.columns.sent >= back.start_s) & (evidence.columns.sent < back.end_s)
    if not sent.any():
        return Shedding(shed.start_s, back.start_s, None, "no call was sent in the readmission")
    return Shedding(shed.start_s, back.start_s, float(evidence.columns.good[sent].mean()))
