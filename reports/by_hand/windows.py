"""The fault windows of a record of chaos by hand.

A run has one baseline, one fault phase and one recovery. A stack that is up has a window for each injection:

    baseline    the last 30 s before the injection, if the load ran and no fault was active in all of them; else the
                window has none, and what is compared with a baseline is not measured
    fault       from the injection until the fault is verified as reverted
    recovery    from then on for 60 s at most, until the next baseline or injection, or until the load stops

Faults that overlap share a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from reports.record.entries import FaultRecord, Phase
from reports.record.reader import Record

__all__ = ["BASELINE_S", "RECOVERY_S", "FaultWindow", "by_windows", "fault_windows", "of_window"]

BASELINE_S: Final = 30.0
"""The length of the baseline of a window, seconds."""
RECOVERY_S: Final = 60.0
"""The longest recovery of a window, seconds."""


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """`number` counts from 1. `phases`: those that it has, in order. `without`: why it has no baseline, or ""."""

    number: int
    faults: tuple[FaultRecord, ...]
    phases: tuple[Phase, ...]
    without: str


def fault_windows(record: Record) -> list[FaultWindow]:
    """The windows, in the order of the injections."""
    groups = list(_groups(record))
    loads = _loads(record)
    lacking = [
        _why_no_baseline(begin_s, groups[index - 1][2] if index else None, loads)
        for index, (_, begin_s, _) in enumerate(groups)
    ]
    found = []
    for index, (faults, begin_s, end_s) in enumerate(groups):
        without = lacking[index]
        next_s = record.end_s()
        if index + 1 < len(groups):
            next_s = groups[index + 1][1] - (0.0 if lacking[index + 1] else BASELINE_S)
        load_ends_s = next((last for first, last in loads if first <= end_s <= last), end_s)
        recovery_s = min(next_s, load_ends_s, end_s + RECOVERY_S)
        phases = [Phase("fault", begin_s, end_s, complete=True)]
        if not without:
            phases.insert(0, Phase("baseline", begin_s - BASELINE_S, begin_s, complete=True))
        if recovery_s > end_s:
            phases.append(Phase("recovery", end_s, recovery_s, complete=True))
        found.append(FaultWindow(index + 1, faults, tuple(phases), without))
    return found


def _groups(record: Record) -> Iterator[tuple[tuple[FaultRecord, ...], float, float]]:
    """Faults that overlap, with the begin of the first and the end of the last; seconds."""
    group: list[FaultRecord] = []
    begin_s = end_s = 0.0
    injected = [(fault.injected_s, fault) for fault in record.faults if fault.injected_s is not None]
    for at_s, fault in sorted(injected, key=lambda one: one[0]):
        over_s = fault.stages.get("verified", fault.reverted_s)
        over_s = record.end_s() if over_s is None else over_s
        if group and at_s < end_s:
            group.append(fault)
            end_s = max(end_s, over_s)
            continue
        if group:
            yield tuple(group), begin_s, end_s
        group, begin_s, end_s = [fault], at_s, over_s
    if group:
        yield tuple(group), begin_s, end_s


def _loads(record: Record) -> list[tuple[float, float]]:
    """When a load ran: from its start to its end, seconds."""
    found: list[tuple[float, float]] = []
    began_s: float | None = None
    ends = [one.at_s for one in record.exits if one.kind == "load"]
    last = (record.end_s(), "load_stop", "")
    for at_s, action, _ in [*record.actions, last]:
        if began_s is not None and action in ("load_start", "load_stop", "abort"):  # a start follows a load that died
            found.append((began_s, min([at_s, *(end_s for end_s in ends if end_s > began_s)])))
            began_s = None
        if action == "load_start":
            began_s = at_s
    return found


def _why_no_baseline(begin_s: float, before_s: float | None, loads: list[tuple[float, float]]) -> str:
    since_s = next((first for first, last in loads if first <= begin_s <= last), None)
    if since_s is None:
        return "no load ran when the fault was injected"
    if begin_s - since_s < BASELINE_S:
        return f"the load had run for {begin_s - since_s:.0f} s, and a baseline needs {BASELINE_S:.0f} s"
    if before_s is not None and begin_s - before_s < BASELINE_S:
        what = f"the fault before it had ended {begin_s - before_s:.0f} s earlier"
        return f"{what}, and a baseline needs {BASELINE_S:.0f} s without one"
    return ""


def of_window(record: Record, window: FaultWindow) -> Record:
    """The record as that of a run with this window alone."""
    return replace(record, phases=list(window.phases), faults=list(window.faults))


def by_windows(record: Record, windows: list[FaultWindow]) -> Record:
    """The record with the phases of all windows, in order."""
    return replace(record, phases=[phase for window in windows for phase in window.phases] or record.phases)
