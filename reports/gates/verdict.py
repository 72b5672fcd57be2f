"""The verdict of a run and its exit code: the first of these that applies.

    130  interrupted     the user stopped it, and every fault was reverted
      5  failed          the target, or a part of brownout, failed by itself, or a fault was not reverted
      1  metastable      down after the trigger was gone: a self-sustaining failure that the load alone does not explain
      1  overloaded      down after the trigger was gone
      1  fail            a gate failed, or the run was not steady before the fault, or a gateway that is not ours was
                         itself the limit that keeps it from carrying the load
      4  aborted         a guardrail stopped it
      3  inconclusive    no load, too few samples, a fault that hit nothing, an overloaded machine, an incomplete
                         record, calls that were answered by others than the stack of the run
      0  played          chaos by hand: there are no gates, and nothing was judged; a gateway that cannot carry the
                         load is a note of its report
      0  pass            every gate passed

(2, wrong usage or an invalid file, leaves no record.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports.gates.carrying import Carrying
from reports.gates.judging import GateResult
from reports.metastability.judging import Metastability
from reports.record.reader import Record
from reports.shared.attributes import ABORTED_BY_HAND, STAYED_DOWN, STOPPED_BY_GUARDRAIL

__all__ = ["EXIT_CODES", "RunVerdict", "Verdict", "decide"]

Verdict = Literal[
    "interrupted", "failed", "metastable", "overloaded", "fail", "aborted", "inconclusive", "played", "pass"
]

EXIT_CODES: Final[dict[Verdict, int]] = {
    "interrupted": 130,
    "failed": 5,
    "metastable": 1,
    "overloaded": 1,
    "fail": 1,
    "aborted": 4,
    "inconclusive": 3,
    "played": 0,
    "pass": 0,
}
"""By precedence."""


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """`why`: a sentence for each verdict that applies, the decisive one first."""

    verdict: Verdict
    exit_code: int
    why: tuple[str, ...]


def decide(
    record: Record,
    gates: Sequence[GateResult],
    steady_state: Sequence[GateResult],
    unreadable: Sequence[str] = (),
    metastability: Metastability | None = None,
    doubts: Sequence[str] = (),
    *,
    failures: Sequence[str] = (),
    no_load: str = "",
    severe: Sequence[str] = (),
    not_reverted: Sequence[str] = (),
    carried: Carrying | None = None,
    elsewhere: Sequence[str] = (),
) -> RunVerdict:
    """The verdict from the run's events, its gates, and whether the stack stayed down.

    `unreadable`: errors of gates that cannot be parsed. `doubts`: why times of this run are not valid. `severe`: of
    these, the ones that change what happens. `failures`: what
    the target failed at, as the calls of the record show it. `no_load`: why the run had no load, "" where it had.
    `not_reverted`: the faults that the run has left, and why. They come before an interruption: nothing else says that
    a fault is still there. `carried`: the finding that a gateway that is not ours does not carry the load.
    `elsewhere`: that calls were answered by somebody else than the stack of this run.
    """
    overload = [*elsewhere, *([carried.text] if carried is not None else [])]
    why: dict[Verdict, list[str]] = {verdict: [] for verdict in EXIT_CODES}
    for event in record.run_events:
        kind = event.get("event")
        if kind == "interrupted":
            why["interrupted"].append(_because("interrupted", event))
        elif kind == "failed":
            why["failed"].append(_because("failed", event))
        elif kind == "aborted":
            by_hand = event.get("why") == ABORTED_BY_HAND
            stopped = ABORTED_BY_HAND if by_hand else _because(STOPPED_BY_GUARDRAIL, event)
            excuses = [*overload, *severe]
            why["inconclusive" if excuses else "aborted"].append("; but ".join([stopped, *excuses[:1]]))
        elif kind == "not_steady":
            unsteady = str(event.get("why") or "not steady before the fault")
            # The check during the run saw fewer counters than the whole record has: it may not have known the doubt.
            doubtful = bool(doubts) and not any(result.verdict == "fail" for result in steady_state)
            excuse = (overload or doubts)[0] if overload or doubtful else ""
            why["inconclusive" if excuse else "fail"].append(f"{unsteady}; but {excuse}" if excuse else unsteady)
        elif kind == "not_carried" and carried is None:
            why["inconclusive"].append(str(event.get("why") or "the gateway does not carry the load"))
    why["failed"] += [f"failed: {failure}" for failure in failures]
    if metastability is not None and metastability.state in ("metastable", "overloaded"):
        down = f"{STAYED_DOWN}: {metastability.why}"
        excuses = [*overload, *doubts]
        why["inconclusive" if excuses else metastability.state].append("; but ".join([down, *excuses[:1]]))
    why["fail"] += [f"not steady before the fault: {r.gate.text}: {r.why}" for r in steady_state if r.verdict == "fail"]
    why["fail"] += [f"{result.gate.text}: {result.why}" for result in gates if result.verdict == "fail"]
    why["inconclusive"] += [f"the record is damaged: {damage}" for damage in record.damage]
    undecided = [result for result in (*steady_state, *gates) if result.verdict == "inconclusive"]
    why["inconclusive"] += [f"{result.gate.text}: {result.why}" for result in undecided]
    why["inconclusive"] += [f"a gate cannot be parsed: {problem}" for problem in unreadable]
    if no_load and not record.by_hand:
        why["inconclusive"].append(no_load)
    if record.by_hand:
        why["played"].append("chaos by hand has no gates: nothing was judged")
    elif not gates:
        why["inconclusive"].append("the experiment has no gate")
    if not record.ended:
        why["inconclusive"].append("the record ends before the end of the run")
    if carried is not None:
        why["fail" if carried.limit == "gateway" and not elsewhere else "inconclusive"].insert(0, carried.text)
    if not record.by_hand:
        why["inconclusive"][:0] = elsewhere
    why["failed"][:0] = not_reverted
    order = {"failed": why["failed"], **why} if not_reverted else why
    for verdict, reasons in order.items():
        if reasons:
            ordered = reasons + [text for other, texts in why.items() if other != verdict for text in texts]
            return RunVerdict(verdict, EXIT_CODES[verdict], tuple(ordered))
    return RunVerdict("pass", 0, (f"all {len(gates)} gates passed",))


def _because(what: str, event: dict[str, object]) -> str:
    return f"{what}: {event['why']}" if event.get("why") else what
