"""One or two sentences on what broke in a run, and why. Nothing is said that the evidence does not show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from reports.explanation.causes import causes_of
from reports.explanation.slow_calls import slow_calls_text
from reports.explanation.words import doubt_of
from reports.gates.judging import GateResult
from reports.gates.machine import MACHINE_REMEDY
from reports.gates.verdict import RunVerdict
from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence
from reports.shared.attributes import SessionOutcome
from reports.shared.wording import value_text

__all__ = ["explanation"]

_EARLY: Final = ("interrupted", "failed", "aborted")


def explanation(
    evidence: Evidence,
    gates: Sequence[GateResult],
    verdict: RunVerdict,
    machine: Sequence[str] = (),
    first: str = "",
) -> dict[str, Any]:
    """The section `explanation` of the report: the sentence, and how many gates failed.

    `gates`: those of `steady_state`, then the others. `machine`: the doubts about this machine, as text.
    `first`: what comes before all of that: a gateway that is not ours does not carry the load, or has other upstreams.
    """
    first = first if verdict.verdict in ("fail", "inconclusive") else ""
    return {
        "sentence": _joined(first, _lost_text(evidence)) if first else _sentence(evidence, gates, verdict, machine),
        "gates_failed": sum(1 for result in gates if result.verdict == "fail"),
        "gates": len(gates),
    }


def _sentence(evidence: Evidence, gates: Sequence[GateResult], verdict: RunVerdict, machine: Sequence[str]) -> str:
    lost = _lost_text(evidence)
    failed = [result for result in gates if result.verdict == "fail"]
    if verdict.verdict in _EARLY:
        return _joined(_first_line(verdict.why[0]), lost)
    if verdict.verdict in ("metastable", "overloaded"):
        itself = " by itself" if verdict.verdict == "metastable" else ""
        return _joined(f"after the trigger was gone, the service stayed down{itself}", lost)
    if not failed:
        undecided = [result for result in gates if result.verdict == "inconclusive"]
        too_slow = [doubt for doubt in machine if any(doubt in why for why in verdict.why)]
        if verdict.verdict == "inconclusive" and too_slow:
            return _joined(*_machine_too_slow(undecided, too_slow), lost, _survived(evidence.impacts, held=False))
        if undecided:
            return _joined(
                lost, _survived(evidence.impacts, held=False), f"no gate failed, and {_undecided(undecided)}"
            )
        if verdict.verdict != "pass":
            return _joined(_first_line(verdict.why[0]), lost)
        return _joined(lost, _survived(evidence.impacts, held=not lost)) or _joined("every gate passed")
    if not lost:
        return _joined(_none_lost(evidence), _worst_gate(failed), slow_calls_text(evidence))
    return _joined(lost)


def _lost_text(evidence: Evidence) -> str:
    causes = causes_of(evidence)
    total = sum(lost.sessions for lost in causes)
    if not total:
        return ""
    first = causes[0]
    subject = f"{total:,} {'session' if total == 1 else 'sessions'} lost"
    if first.sessions == total:
        who = "each " if total > 1 else "it "
        return f"{subject}: {who}{first.text}"
    rest = total - first.sessions
    others = f"{rest:,} more for {'another reason' if len(causes) == 2 else f'{len(causes) - 1} other reasons'}"
    who = f"each of {first.sessions:,}" if first.sessions > 1 else "1 of them"
    return f"{subject}: {who} {first.text}; {others}"


def _none_lost(evidence: Evidence) -> str:
    before = any(session.outcome == SessionOutcome.LOST for session in evidence.calls.sessions)
    return "no session was lost after the warm-up" if before else "no session was lost"


def _worst_gate(failed: Sequence[GateResult]) -> str:
    result = failed[0]
    gate = result.gate
    phase = f" in the {gate.phase} phase" if gate.phase else ""
    if result.value is None:
        return f"{gate.text}: {result.why}"
    value = f"{gate.spec.title} was {value_text(result.value, gate.own_unit)}{phase}"
    return f"{value} (gate: {gate.text})"


def _machine_too_slow(undecided: Sequence[GateResult], doubts: Sequence[str]) -> Iterator[str]:
    """The figure, what it means, and what to do."""
    count = len(undecided)
    what = "the run" if not count else "one gate" if count == 1 else f"{count} gates"
    yield f"this machine was too busy to decide {what}: {doubts[0]}"
    yield MACHINE_REMEDY


def _undecided(undecided: Sequence[GateResult]) -> str:
    count = len(undecided)
    what = "one gate" if count == 1 else f"{count} gates"
    return f"{what} could not be decided: {doubt_of(undecided[0].why)}"


def _survived(impacts: Sequence[FaultImpact], *, held: bool) -> str:
    """What the calls that met the faults went through. `held`: the run passed, and no session was lost."""
    on_replicas = [impact for impact in impacts if impact.injected and impact.on_replicas]
    if not on_replicas:
        active = [impact for impact in impacts if impact.injected]
        kinds = " and ".join(dict.fromkeys(impact.fault.kind for impact in active))
        if not kinds:
            return ""
        return f"the service held under the fault {kinds}" if held else f"the fault {kinds} was active"
    encounters = [encounter for impact in on_replicas for encounter in impact.encounters]
    kinds = " and ".join(dict.fromkeys(impact.fault.kind for impact in on_replicas))
    if not encounters:
        return f"no call met the fault {kinds}"
    count = len(encounters)
    met = f"{count:,} {'call' if count == 1 else 'calls'} met the fault {kinds}"
    interrupted = [encounter for encounter in encounters if encounter.interrupted]
    saved = [e for e in interrupted if e.saved and math.isfinite(e.failover_s)]
    if not interrupted:
        return f"{met}, and none of them was interrupted"
    slowest = max((e.failover_s for e in saved), default=math.nan)
    cut, carried = _of(len(interrupted), count), _of(len(saved), len(interrupted))
    text = f"{met}: {cut} {_were(len(interrupted))} interrupted, and {carried} of these {_were(len(saved))} carried on"
    return text if math.isnan(slowest) else f"{text}, the slowest after {value_text(slowest, 's')}"


def _of(part: int, whole: int) -> str:
    return "all" if part == whole > 1 else f"{part:,}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _first_line(text: str) -> str:
    """The first line of a reason, with the lines that explain it, as one line."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _joined(*clauses: str) -> str:
    """The clauses as sentences."""
    sentences = [clause[0].upper() + clause[1:] for clause in clauses if clause]
    return " ".join(sentence if sentence.endswith((".", "!", "?")) else f"{sentence}." for sentence in sentences)
