"""The verdict of a run: of several things that apply, the one that matters most, and its exit code.

    130  interrupted     a person stopped it
      5  failed          the target, or a part of ours, failed by itself
      1  metastable      down by itself after the trigger was gone, and the load alone is not to blame
      1  overloaded      down after the trigger was gone
      1  fail            a gate failed, or the run was not steady before the fault
      4  aborted         a guardrail stopped it
      3  inconclusive    too few samples, a fault that hit nothing, an overloaded machine, a record cut short
      0  pass            every gate passed

In that order. (2, wrong usage or an invalid file, never makes a record.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports.gates.judging import GateResult
from reports.metastability.judging import Metastability
from reports.record.reader import Record

__all__ = ["EXIT_CODES", "RunVerdict", "decide"]

Word = Literal["interrupted", "failed", "metastable", "overloaded", "fail", "aborted", "inconclusive", "pass"]

EXIT_CODES: Final[dict[Word, int]] = {
    "interrupted": 130,
    "failed": 5,
    "metastable": 1,
    "overloaded": 1,
    "fail": 1,
    "aborted": 4,
    "inconclusive": 3,
    "pass": 0,
}
"""By urgency."""


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """`why` holds a sentence for everything that applies, the decisive first."""

    verdict: Word
    exit_code: int
    why: tuple[str, ...]


def decide(
    record: Record,
    gates: Sequence[GateResult],
    steady_state: Sequence[GateResult],
    unread: Sequence[str] = (),
    metastability: Metastability | None = None,
    doubts: Sequence[str] = (),
) -> RunVerdict:
    """Weigh what the events tell, what the gates say, and whether the stack stayed down. `unread`: what is wrong with
    gates that are none; `doubts`: why what took long says nothing about the stack.
    """
    why: dict[Word, list[str]] = {word: [] for word in EXIT_CODES}
    for event in record.run_events:
        word = event.get("event")
        if word == "interrupted":
            why["interrupted"].append(_because("interrupted", event))
        elif word == "failed":
            why["failed"].append(_because("failed", event))
        elif word == "aborted":
            why["aborted"].append(_because("stopped by a guardrail", event))
        elif word == "not_steady":
            why["fail"].append(str(event.get("why") or "not steady before the fault"))
    if metastability is not None and metastability.state in ("metastable", "overloaded"):
        said = f"down after the trigger was gone: {metastability.why}"
        why["inconclusive" if doubts else metastability.state].append("; but ".join([said, *doubts[:1]]))
    why["fail"] += [f"not steady before the fault: {r.gate.text}: {r.why}" for r in steady_state if r.verdict == "fail"]
    why["fail"] += [f"{result.gate.text}: {result.why}" for result in gates if result.verdict == "fail"]
    undecided = [result for result in (*steady_state, *gates) if result.verdict == "inconclusive"]
    why["inconclusive"] += [f"{result.gate.text}: {result.why}" for result in undecided]
    why["inconclusive"] += [f"a gate cannot be read: {problem}" for problem in unread]
    if not gates:
        why["inconclusive"].append("there is no gate to judge")
    if not record.ended:
        why["inconclusive"].append("the record ends before the run did")
    for word, reasons in why.items():
        if reasons:
            ordered = reasons + [text for other, texts in why.items() if other != word for text in texts]
            return RunVerdict(word, EXIT_CODES[word], tuple(ordered))
    return RunVerdict("pass", 0, (f"all {len(gates)} gates passed",))


def _because(what: str, event: dict[str, object]) -> str:
    return f"{what}: {event['why']}" if event.get("why") else what
