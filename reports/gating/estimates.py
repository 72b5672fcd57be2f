"""A gate on a share, a ratio, a percentile or a time over several runs: `repeated` has the rules."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.gates.operators import OPERATORS
from reports.gating.between_runs import RunValue, over_runs, verdict_of
from reports.gating.gate_runs import (
    Finding,
    GateRun,
    bound_text,
    own_why,
    range_of,
    reason_text,
    value_of_run,
)
from reports.gating.soundness import Gate, crashed, is_time, may_lack_value, why_not
from reports.shared.wording import names_text

__all__ = ["judge_estimates"]


def judge_estimates(runs: Sequence[GateRun], gate: Gate, level: float) -> Finding:
    """A share, a ratio, a percentile or a time over several runs."""
    asked = [run for run in runs if not run.refused]
    doubted = [run for run in asked if run.gate is not None and _is_doubted(run.gate)]
    judging = [run for run in asked if run not in doubted and run.value is not None]
    never = _never(judging, gate)
    if never:
        many = f"; so in {len(never)} of {len(judging)} runs" if len(never) > 1 else ""
        return Finding("fail", f"never in {never[0].name}, not {bound_text(gate)}{many}", math.inf, None, judging)
    late = _late_but_passed(runs) if len(judging) < 2 and not doubted else []
    if len(judging) + len(late) < 2:
        return _too_few(runs, judging, doubted)
    judging = [run for run in runs if run in judging or run in late]
    values = [value for run in judging if run.gate is not None and (value := value_of_run(run, run.gate)) is not None]
    unit = "factor" if gate["relative_to_baseline"] else str(gate["unit"])
    found = over_runs(values, unit, level, range_of(gate))
    judged = verdict_of(gate["op"], gate["bound"], found.interval)
    if math.isinf(found.value) and all(run.value == math.inf for run in judging):
        judged = "pass" if OPERATORS[gate["op"]].holds(math.inf, gate["bound"]) else judged
    why = reason_text(gate, found.value, found.interval, level, judged, f"over {len(judging)} runs")
    if late and judged == "fail":
        judged, why = "inconclusive", f"{why}; but the machine was too slow in {names_text([r.name for r in late])}"
    if doubted and judged == "pass":
        judged, why = "inconclusive", f"{why}; but {_doubts(doubted)}"
    lacking = [run for run in asked if run not in doubted and _lacks_value(run)]
    if lacking and judged == "pass":
        judged, why = "inconclusive", f"{why}; but not every run has a value"
    failed = [run for run in judging if not is_time(gate) and _fails_alone(run)]
    if failed and judged == "pass":
        judged, why = "inconclusive", f"{why}; but {failed[0].name} fails by itself: {own_why(failed[0])}"
    stuck = ""
    if judged == "inconclusive":
        stuck = _stays(doubted) or _stays_without(lacking) or _unknown_end(gate, found.interval)
    return Finding(judged, why, found.value, found.interval, judging, stuck, final=bool(doubted or lacking))


def _never(judging: Sequence[GateRun], gate: Gate) -> list[GateRun]:
    """The runs in which something never came, where that fails the gate; else none.

    A time: in any run. A percentile is "never" where too many calls failed, which may be chance in one run. So two runs
    must be certain of it (their whole interval is infinite), or each run must fail by itself.
    """
    never = [run for run in judging if run.value == math.inf]
    if not never or OPERATORS[gate["op"]].limit != "maximum":
        return []
    own = [value_of_run(run, run.gate) for run in never if run.gate is not None]
    certain = [one for one in own if one is not None and _low(one) == math.inf]
    all_fail = len(judging) > 1 and all(map(_fails_alone, judging))
    return never if is_time(gate) or len(certain) > 1 or all_fail else []


def _low(value: RunValue) -> float:
    return value.value if value.interval is None else value.interval[0]


def _fails_alone(run: GateRun) -> bool:
    return run.gate is not None and run.gate["judged"] == "fail"


def _lacks_value(run: GateRun) -> bool:
    """Whether the run has no value because calls failed: it must not let the others pass."""
    gate = run.gate
    return gate is not None and run.value is None and gate["judged"] != "pass" and not may_lack_value(gate["measure"])


def _stays_without(lacking: Sequence[GateRun]) -> str:
    return f"{lacking[0].name} has no value, and another run cannot change that" if lacking else ""


def _is_doubted(gate: Gate) -> bool:
    """Whether the run's own analysis doubts the value, and does not only find the interval too wide."""
    return crashed(gate) or (gate["judged"] == "inconclusive" and gate["value"] is not None and "; but " in gate["why"])


def _stays(doubted: Sequence[GateRun]) -> str:
    return f"{doubted[0].name} stays in doubt, and another run cannot change that" if doubted else ""


def _doubts(doubted: Sequence[GateRun]) -> str:
    first, why = doubted[0], own_why(doubted[0])
    return f"{first.name} is in doubt: {why.partition('; but ')[2] or why}"


def _late_but_passed(runs: Sequence[GateRun]) -> list[GateRun]:
    """The runs that only a doubt about the machine keeps from judging, if each of them passed the gate by itself."""
    late = [run for run in runs if run.refused and run.gate is not None and _only_late(run)]
    passed = all(run.gate is not None and run.gate["judged"] == "pass" for run in late)
    return late if passed else []


def _only_late(run: GateRun) -> bool:
    assert run.gate is not None
    return why_not(run.report, run.gate, machine=False) == ""


def _too_few(runs: Sequence[GateRun], judging: Sequence[GateRun], doubted: Sequence[GateRun]) -> Finding:
    counted = "none counts" if not judging else f"only {judging[0].name} counts"
    why = f"an interval over runs needs 2 runs, and of {len(runs)} {counted}"
    stuck = _stays(doubted)
    if not doubted and not judging:
        stuck = "no run measured it"
    value = judging[0].value if judging else None
    return Finding("inconclusive", why, value, None, judging, stuck, final=bool(doubted))


def _unknown_end(gate: Gate, interval: tuple[float, float]) -> str:
    """That the runs have too few samples for the end that decides; "" where they have enough."""
    if gate["kind"] != "percentile" or math.isfinite(interval[1]):
        return ""
    if OPERATORS[gate["op"]].limit == "minimum" or not OPERATORS[gate["op"]].holds(interval[0], gate["bound"]):
        return ""
    needed = gate["samples_needed"]
    return f"its runs have too few independent samples for the upper end (needed: {needed} a run)"
