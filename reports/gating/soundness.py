"""Which runs may decide a gate over several runs. Read from `report.json` alone.

*Sound*: the counts of the run may decide. It ended by itself, it had load, its faults hit something, its own stack
answered, nobody changed it by hand, and its machine was never so late that it changed what happens. A short form is
sound: the same rules judged its gates.

A single gate may need less, or more:

- A gate on the baseline needs no fault, and no phase after the baseline.
- A count that failed decides in any run that was not interrupted and whose parts did not fail: the analysis of that run
  lets such a failure stand only where neither lateness nor missing data can explain it. It is never dropped.
- A gate on times needs a machine that nobody doubts. So does one that a doubt about the machine left undecided while
  its value satisfies the gate: lateness may have helped it.

Which runs count must not depend on their values, or the rest would be a selection of good ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reports.gates.operators import OPERATORS
from reports.measures.catalogue import CATALOGUE
from reports.shared.attributes import ABORTED_BY_HAND, STAYED_DOWN, STOPPED_BY_GUARDRAIL
from reports.shared.phases import GATE_PHASES

__all__ = [
    "compared_value",
    "crashed",
    "decoded",
    "failed_outright",
    "is_count",
    "is_sound",
    "is_time",
    "machine_in_doubt",
    "may_judge",
    "may_lack_value",
    "stays_down",
    "stopped_early",
    "unsound_because",
    "why_not",
]

Report = Mapping[str, Any]
Gate = Mapping[str, Any]

_UNJUDGED: Final = {
    "interrupted": "it was interrupted",
    "failed": "the target, or a part of brownout, failed",
    "played": "it was chaos by hand",
}
"""Why runs with these verdicts decide nothing at all."""

_OF_HIT_CALLS: Final = ("interrupted calls", "calls that met the fault", "attempts after the pause")
"""Samples of measures about calls that a fault hit."""

_BY_HAND: Final = "the run was changed by hand"
_DAMAGED: Final = ("the record is damaged", "the record ends before the end of the run")
"""Beginnings of reasons, as `reports.gates` writes them into the verdict and into gates."""


def is_sound(report: Report) -> bool:
    """Whether the counts of this run may decide."""
    return not unsound_because(report)


def unsound_because(report: Report) -> tuple[str, ...]:
    """Why the counts of this run may not decide, as text, the most important reason first; empty if it is sound."""
    return tuple(dict.fromkeys(_reasons(report, None)))


def may_judge(report: Report, gate: Gate) -> bool:
    """Whether this run may decide this gate. `gate`: an item of `gates` or `steady_state` in the same report."""
    return not why_not(report, gate)


def why_not(report: Report, gate: Gate, *, machine: bool = True) -> str:
    """Why this run may not decide this gate, as text; "" if it may. `machine`: whether mild lateness is a reason."""
    verdict = str(report["verdict"]["verdict"])
    if verdict in _UNJUDGED:
        return _UNJUDGED[verdict]
    if gate["judged"] == "fail" and is_count(gate):
        return ""
    if (reason := next(_reasons(report, gate["phase"]), None)) is not None:
        return reason
    if not machine:
        return ""
    if (doubt := machine_in_doubt(report)) and not is_count(gate) and _is_latency(gate):
        return f"the machine was too slow: {doubt}"
    if gate["judged"] == "inconclusive" and _satisfied(gate):
        known = report["proofs"]["machine_doubts"]
        return next((f"the machine was too slow: {doubt}" for doubt in known if str(doubt) in str(gate["why"])), "")
    return ""


def machine_in_doubt(report: Report) -> str:
    """Why times of this run are in doubt: this machine was too slow, or it is not known that it was fast enough."""
    proofs = report["proofs"]
    if proofs["machine_doubts"]:
        return str(proofs["machine_doubts"][0])
    if all(proofs[part].get("sound", True) for part in ("loadgen", "machine")):
        return ""
    return "it is not known whether the machine was fast enough"


def failed_outright(report: Report) -> str:
    """Why the run failed, where no gate says so; "" otherwise.

    The target stayed down after the fault was gone, or its gateway is itself the limit that keeps it from carrying the
    load. Such a run fails the experiment, whatever its gates say.
    """
    verdict = report["verdict"]
    at_limit = verdict["verdict"] == "fail" and report.get("carrying") is not None
    if verdict["verdict"] in ("metastable", "overloaded") or at_limit:
        return str(verdict["why"][0])
    return ""


def is_count(gate: Gate) -> bool:
    """Whether it is about a count or another exact fact of a run that is no time: judged run by run."""
    return bool(gate["kind"] == "fact" and gate["unit"] != "s")


def is_time(gate: Gate) -> bool:
    """Whether it is about an exact time of a run, such as `time_to_recover` or `failover.max`."""
    return bool(gate["kind"] == "fact" and gate["unit"] == "s")


def may_lack_value(measure: str) -> bool:
    """Whether a run without a value of this measure says nothing bad: it met none of the calls that it is about.

    Without interrupted calls, there is no failover. Any other measure that a run lacks is missing because calls failed.
    """
    spec = CATALOGUE.get(measure.partition(" ")[0].partition(".")[0])
    return spec is not None and spec.samples in _OF_HIT_CALLS


def stopped_early(report: Report) -> bool:
    """Whether a guardrail or a person ended the run, and no severe doubt about the machine excuses that."""
    return any(
        str(why).startswith((STOPPED_BY_GUARDRAIL, ABORTED_BY_HAND)) and "; but " not in str(why)
        for why in report["verdict"]["why"]
    )


def stays_down(report: Report) -> str:
    """Why the target stayed down after the fault was gone, also where a doubt leaves that undecided; "" otherwise."""
    return next((str(why) for why in report["verdict"]["why"] if str(why).startswith(STAYED_DOWN)), "")


def crashed(gate: Gate) -> bool:
    """Whether the check of the gate crashed in this run."""
    return bool(gate["traceback"])


def compared_value(gate: Gate) -> float | None:
    """The value that is compared with the bound: the factor of a relative gate. Infinite: never; None: not measured."""
    return decoded(gate["factor" if gate["relative_to_baseline"] else "value"])


def decoded(value: object) -> float | None:
    """A number of report.json, in which an infinite one is text."""
    if isinstance(value, str):
        return {"never": math.inf, "-never": -math.inf}.get(value)
    return None if value is None or isinstance(value, bool) else float(value)  # type: ignore[arg-type]


def _satisfied(gate: Gate) -> bool:
    value = compared_value(gate)
    return value is not None and bool(OPERATORS[gate["op"]].holds(value, gate["bound"]))


def _is_latency(gate: Gate) -> bool:
    spec = CATALOGUE.get(str(gate["measure"]).partition(".")[0])
    return spec is not None and spec.latency


def _reasons(report: Report, phase: str | None) -> Iterator[str]:
    """Why the part of the run with this phase (None: all) may not decide."""
    verdict, proofs = report["verdict"], report["proofs"]
    if verdict["verdict"] in _UNJUDGED:
        yield _UNJUDGED[verdict["verdict"]]
    yield from (f"the machine was far too slow: {doubt}" for doubt in proofs.get("severe_doubts", ()))
    if proofs.get("joins", {}).get("other_upstreams"):
        yield "calls were answered by others than the stack of this run"
    if report.get("carrying") is not None:
        yield "the gateway did not carry the load"
    if proofs["loadgen"].get("arrivals", 1) == 0:
        yield "it had no load"
    reasons = [str(why) for why in verdict["why"]]
    yield from (why for why in reasons if why.startswith(_DAMAGED))
    gates = [*report["steady_state"], *report["gates"]]
    if any(_BY_HAND in str(gate["why"]) for gate in gates):
        yield "it was changed by hand"
    yield from _ended_early(report, phase)
    if phase != "baseline":
        yield from (str(doubt) for fault in report["faults"] for doubt in fault["doubts"])


def _ended_early(report: Report, phase: str | None) -> Iterator[str]:
    played = {str(one["name"]): bool(one["finished"]) for one in report["phases"]}
    wanted = {"baseline"} if phase == "baseline" else {*(played.keys() & set(GATE_PHASES)), "baseline"}
    if report["faults"] and phase != "baseline":
        wanted |= set(GATE_PHASES)
    missing = [name for name in GATE_PHASES if name in wanted and not played.get(name)]
    if missing:
        yield f"it ended before the end of its {missing[0]}"
    elif phase != "baseline" and report["verdict"]["verdict"] == "aborted":
        yield "it was stopped early"
