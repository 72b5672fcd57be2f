"""Verdicts, values and changes of a gate's result as plain text, the same in the summary, JUnit and annotations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from brownout.result import ExperimentResult, GateResult, MeasureChange, PlayedRun, Result
from reports.shared.units import duration_text
from reports.shared.wording import difference_text, ends_text, number_text, value_text

__all__ = [
    "VERDICTS",
    "accepted_text",
    "change_text",
    "deciding_text",
    "detectable_text",
    "failed_gates",
    "gate_value_text",
    "interval_cell",
    "measure_text",
    "other_reasons",
    "own_verdict",
    "regressions",
    "run_name",
    "seeds_text",
    "time_text",
    "values_text",
    "verdict_text",
]

VERDICTS: Final = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "inconclusive",
    "aborted": "aborted",
    "failed": "broken",
    "interrupted": "interrupted",
    "metastable": "metastable",
    "overloaded": "overloaded",
    "played": "not judged",
}
"""As on the pages of the reports: `failed` in the data means that the target or brownout broke."""
_MARKS: Final = {"pass": "✓", "fail": "✗", "failed": "✗", "metastable": "✗", "overloaded": "✗", "inconclusive": "?"}
_USUAL_LEVEL: Final = 0.95


def verdict_text(verdict: str) -> str:
    """`✗ failed`, `✓ passed`, `? inconclusive`, `■ aborted`. A verdict that is not known here is shown as it is."""
    return f"{_MARKS.get(verdict, '■')} {VERDICTS.get(verdict, verdict)}"


def time_text(seconds: float) -> str:
    """`45 s`, `2 min 5 s`: whole seconds. `unknown` where it is no finite number."""
    return duration_text(round(seconds)) if math.isfinite(seconds) and seconds >= 0 else "unknown"


def interval_cell(gate: GateResult) -> str:
    """The interval of a gate: `1.2 s to 1.5 s`; `exact`; `worst of 3 runs` for a count; "" where nothing was measured.

    The level is named where it is not 95 %.
    """
    if gate.interval is not None:
        level = "" if math.isclose(gate.level, _USUAL_LEVEL) else f" ({gate.level * 100:.4g}%)"
        return ends_text(gate.interval, gate.unit) + level
    if gate.value is None:
        return ""
    return f"worst of {gate.runs_judged} runs" if gate.runs_judged > 1 else "exact"


def gate_value_text(gate: GateResult) -> str:
    """`3.1 s (95% interval 2.8 s to 3.5 s), required <= 2 s`."""
    cell = interval_cell(gate)
    if gate.interval is not None:
        cell = f"{gate.level * 100:.4g}% interval {ends_text(gate.interval, gate.unit)}"
    value = value_text(gate.value, gate.unit) + (f" ({cell})" if cell else "")
    return f"{value}, required {gate.op} {value_text(gate.bound, gate.unit)}"


def _amount(measure: MeasureChange, amount: float) -> str:
    """A change on the scale of the measure, with its sign: `+12.3%`, `-3 points`, `+1.25 s`."""
    if measure.relative:
        if math.isinf(amount):
            return "+infinite" if amount > 0 else "-infinite"
        return f"{'+' if amount > 0 else '-' if amount < 0 else ''}{number_text(abs(amount) * 100)}%"
    return difference_text({"difference": amount, "unit": measure.unit, "interval": None})


def values_text(measure: MeasureChange) -> tuple[str, str]:
    """The values of the head and of the base: `1.2 s`, `1 s`; `not measured` where no run of that side has it."""
    return value_text(measure.here, measure.unit), value_text(measure.there, measure.unit)


def change_text(measure: MeasureChange) -> tuple[str, str]:
    """The change and its interval: `+18%`, `+12% to +24%`; `unknown` and "" where a side was not measured.

    The interval is "" where there is none.
    """
    if measure.change is None:
        return "unknown", ""
    ends = "" if measure.interval is None else " to ".join(_amount(measure, end) for end in measure.interval)
    return _amount(measure, measure.change), ends


def accepted_text(measure: MeasureChange) -> str:
    """How much worse is accepted: `10% more`, `2 points less`, `nothing` for a tolerance of 0."""
    if measure.tolerance == 0:
        return "nothing worse"
    return f"{_amount(measure, abs(measure.tolerance)).lstrip('+')} {_worse(measure)}"


def detectable_text(measure: MeasureChange) -> str:
    """The smallest worsening that would have been found: `12% more`; `unknown`."""
    if measure.detectable is None or not math.isfinite(measure.detectable):
        return "unknown"
    return f"{_amount(measure, abs(measure.detectable)).lstrip('+')} {_worse(measure)}"


def _worse(measure: MeasureChange) -> str:
    return "more" if measure.better == "lower" else "less"


def measure_text(measure: MeasureChange) -> str:
    """`ttft.p95 in fault`; without the phase for all three together."""
    return f"{measure.measure} in {measure.phase}" if measure.phase else measure.measure


def failed_gates(experiment: ExperimentResult) -> list[GateResult]:
    """The gates that failed, the one that states the outcome of the experiment first."""
    return sorted((gate for gate in experiment.gates if gate.verdict == "fail"), key=lambda gate: not gate.headline)


def regressions(experiment: ExperimentResult) -> list[MeasureChange]:
    """The measures that became worse by more than is accepted."""
    measures = experiment.comparison.judged if experiment.comparison is not None else ()
    return [measure for measure in measures if measure.verdict == "fail"]


def deciding_text(experiment: ExperimentResult) -> tuple[str, str]:
    """What decided against the experiment: the gate or measure, and its value. Two empty texts without one."""
    for gate in failed_gates(experiment):
        return gate.text, gate_value_text(gate)
    for measure in regressions(experiment):
        change, ends = change_text(measure)
        text = f"{change} ({ends})" if ends else change
        return measure_text(measure), f"{text} compared with the base, accepted: {accepted_text(measure)}"
    undecided = [gate for gate in experiment.gates if gate.verdict == "inconclusive"]
    if experiment.verdict == "inconclusive" and undecided:
        gate = min(undecided, key=lambda gate: not gate.headline)
        return gate.text, gate_value_text(gate)
    return "", ""


def other_reasons(experiment: ExperimentResult) -> list[str]:
    """The reasons of the verdict that neither its sentence, its gates nor the comparison says."""
    said = [gate.why for gate in experiment.gates if gate.why]
    if experiment.comparison is not None:
        said += [measure.why for measure in experiment.comparison.measures if measure.why]
    sentence = _plain(experiment.sentence)
    return [
        why
        for why in experiment.why
        if not any(text in why for text in said) and (not sentence or _plain(why) not in sentence)
    ]


def own_verdict(result: Result) -> bool:
    """Whether the verdict comes from none of the experiments: a gate that was stopped between two of them."""
    return result.verdict != "pass" and result.verdict not in {one.verdict for one in result.experiments}


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".").lower()


def seeds_text(runs: Sequence[PlayedRun]) -> str:
    """The seeds of runs, each once, in order: `1, 2, 3`."""
    return ", ".join(str(seed) for seed in dict.fromkeys(run.seed for run in runs))


def run_name(experiment: ExperimentResult, run: PlayedRun) -> str:
    """`run 1 of 3, seed 7`; `run 1 of 3 of the base, seed 7` for the other side."""
    side = [one for one in experiment.runs if one.side == run.side]
    number = next(index for index, one in enumerate(side, start=1) if one is run)
    return f"run {number} of {len(side)}{' of the base' if run.side == 'base' else ''}, seed {run.seed}"
