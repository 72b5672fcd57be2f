"""`brownout run X --scale auto`: a ramp before the run finds how much of the load the target carries within the SLO.

The ramp is a run of its own, with its own record (its name ends in `-scale`): the sessions of the experiment without
faults, at a rate that doubles every 8 s from a sixteenth of the load's peak, and ends a quarter above it. A guardrail
ends it once most calls are late.

What the target carries is the highest rate of good calls in any 8 s in which at least 90 % of the calls were good. It
is compared with the highest rate of calls that the whole load will have over 15 s, and a fifth is left as room. Calls
are compared, not sessions: a session that has started goes on to call for several seconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, Final

from rich.text import Text

from chaos.cli.console import shell_path
from chaos.cli.output import Output
from chaos.cli.play import conclude, record
from chaos.cli.side_by_side import Variant
from chaos.experiment.guardrails import parse_guardrail
from chaos.experiment.load_estimate import LoadEstimate, estimate_load
from chaos.experiment.model import Experiment
from chaos.runner.analysis_child import AnalysisChild
from loadprofiles.arrivals import ArrivalsSpec, Constant, Ramp
from reports.gates.grammar import parse_gate
from reports.shared.documents import duration_text
from reports.shared.errors import UserError
from reports.shared.wording import number_text

__all__ = ["RAMP_TITLE", "Fit", "Peak", "Ramped", "fit_scale", "peak_of", "ramp_of", "ramped"]

STEP_S: Final = 8.0
STEPS: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.25)
"""Shares of the load's peak: the first at the start, each other one `STEP_S` later, the last one held for `STEP_S`."""
PEAK_WINDOW_S: Final = 15.0
"""A session calls for several seconds: a shorter peak of arrivals is not one of calls."""
GOOD_SHARE: Final = 0.90
ROOM: Final = 0.8
"""The share of what the target carries that the run may use."""
MIN_CALLS: Final = 5
"""Calls that a window needs."""
DRAIN_S: Final = 10.0
INCONCLUSIVE: Final = 3
RAMP_TITLE: Final = "(a ramp: how much of the load is carried)"
"""Ends the title of a ramp."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest rates of a load over `PEAK_WINDOW_S`, per second."""

    sessions: float
    calls: float


@dataclass(frozen=True, slots=True)
class Ramped:
    """What a ramp has shown: `calls` per second that the target carries. `limited`: some window was not good."""

    calls: float
    limited: bool

    def scale(self, peak: Peak) -> float:
        """The factor for a load with this peak, two digits rounded down, at most 1. 0: not even the smallest load."""
        if not self.limited:
            return 1.0
        share = min(1.0, ROOM * self.calls / peak.calls)
        digits = 10 ** (2 - math.ceil(math.log10(share))) if share > 0 else 1
        return math.floor(share * digits + 1e-9) / digits


@dataclass(frozen=True, slots=True)
class Fit:
    """The factor that fits; None: nothing is played, and the command exits with `exit_code`."""

    scale: float | None
    exit_code: int = 0


def fit_scale(output: Output, plays: Sequence[tuple[Variant, Experiment]], *, command: str) -> Fit:
    """Play a ramp on each target, and print what it showed. The smallest factor applies to all, so that they compare.

    `plays`: each experiment with its options as given. Raises UserError if a folder cannot be made, or if no call is
    planned.
    """
    factors = []
    first: dict[str, Experiment] = {}
    for variant, experiment in plays:
        first.setdefault(" with ".join(filter(None, (variant.stack, variant.gateway))), experiment)
    for name, experiment in first.items():
        target = f"the target {name}" if name else "the target"
        fit = _fit_one(output, experiment, target, command=command)
        if fit.scale is None:
            return fit
        factors.append(fit.scale)
    if len(factors) > 1:
        text = f"every run gets the smallest factor, so that they can be compared: {number_text(min(factors))}"
        output.console.print(Text(text, style="bold"))
    return Fit(min(factors))


def _fit_one(output: Output, experiment: Experiment, target: str, *, command: str) -> Fit:
    console = output.console
    peak = peak_of(estimate_load(experiment.profile, experiment.trace, experiment.seed, experiment.load_s))
    if not peak.calls:
        raise UserError(
            f"{experiment.path}: --scale auto: no call is planned in the {duration_text(experiment.load_s)} of this "
            "experiment, so nothing can be scaled; `brownout check` shows the load"
        )
    ramp = ramp_of(experiment, peak)
    console.print(Text(f"--scale auto: a ramp of {duration_text(ramp.load_s)} without faults", style="bold"))
    played = record(replace(output, single=False), ramp, command=command)
    if played.interrupted or played.left or (played.ended is not None and played.ended.exit_code == 5):
        return Fit(None, conclude(console, played))
    (played.analysis or AnalysisChild(played.folder)).finish()
    report = json.loads((played.folder / "report.json").read_bytes())
    found = ramped(report)
    scale = found.scale(peak)
    text = _text(found, peak, scale, target, experiment)
    console.print(Text(text, style="bold" if scale else "bold red"))
    for doubt in report["proofs"]["machine_doubts"][:1]:
        console.print(Text(f"this machine was busy during the ramp, so the factor may be too low: {doubt}", "yellow"))
    console.print(Text(f"ramp: {shell_path(played.folder)}", style="dim"), soft_wrap=True)
    return Fit(scale) if scale else Fit(None, INCONCLUSIVE)


def peak_of(estimate: LoadEstimate) -> Peak:
    """The peak of a planned load."""
    calls = (call.sent_s for session in estimate.sessions for call in session.calls)
    return Peak(_highest(session.start_s for session in estimate.sessions), _highest(calls))


def _highest(times: Iterable[float]) -> float:
    """The most of these times in any window, per second; of a load that is shorter, over its length."""
    ordered = sorted(times)
    if not ordered:
        return 0.0
    first = most = 0
    for index, at in enumerate(ordered):
        while ordered[first] <= at - PEAK_WINDOW_S:
            first += 1
        most = max(most, index - first + 1)
    return most / min(PEAK_WINDOW_S, max(ordered[-1], 1.0))


def ramp_of(experiment: Experiment, peak: Peak) -> Experiment:
    """The sessions of an experiment at a rising rate, without its faults."""
    ramps = [
        ArrivalsSpec(ramp=Ramp(0.0, (high - low) * peak.sessions, STEP_S, number * STEP_S))
        for number, (low, high) in enumerate(pairwise(STEPS))
    ]
    gate = parse_gate(f"slo_attainment in baseline >= {GOOD_SHARE:.0%}")
    slow_s = 3 * experiment.slo.ttft_s
    return replace(
        experiment,
        name=f"{experiment.name}-scale",
        title=f"{experiment.title} {RAMP_TITLE}",
        description="",
        timeline=replace(
            experiment.timeline,
            warmup_s=0.0,
            baseline_s=STEP_S * len(STEPS),
            recovery_s=0.0,
            drain_s=min(DRAIN_S, experiment.timeline.drain_s),
            confirm_metastable=False,
        ),
        faults=(),
        steady_state=(),
        gates=(gate,),
        headline_gate=gate,
        alerts=None,
        guardrails=(
            parse_guardrail("abort if slo_attainment < 50% for 1s"),
            parse_guardrail(f"abort if ttft > {slow_s:g}s for 1s"),
        ),
        warnings=(),
        arrivals=ArrivalsSpec(sum=(ArrivalsSpec(constant=Constant(STEPS[0] * peak.sessions)), *ramps)),
    )


def ramped(report: Mapping[str, Any]) -> Ramped:
    """What a ramp has shown, from its report.json: by the calls sent in each second, and those of them that were good.

    A ramp that ended early met its limit.
    """
    baseline = [phase for phase in report["phases"] if phase["name"] == "baseline"]
    size = math.ceil(baseline[0]["end_s"]) if baseline else 0
    offered = list(accumulate(report["timeline"]["offered"][:size], initial=0.0))
    good = list(accumulate(report["timeline"]["good"][:size], initial=0.0))
    window = round(STEP_S)
    carried, limited = 0.0, report["verdict"]["verdict"] == "aborted"
    for begin in range(max(1, len(offered) - window)):
        end = min(begin + window, len(offered) - 1)
        calls, met = offered[end] - offered[begin], good[end] - good[begin]
        if calls >= MIN_CALLS and met >= GOOD_SHARE * calls - 1e-9:
            carried = max(carried, met / (end - begin))
        elif calls >= MIN_CALLS:
            limited = True
    return Ramped(carried, limited or carried == 0)


def _text(found: Ramped, peak: Peak, scale: float, target: str, experiment: Experiment) -> str:
    slo = f"TTFT <= {duration_text(experiment.slo.ttft_s)}, TPOT <= {duration_text(experiment.slo.tpot_s)}"
    whole = f"{peak.sessions:.1f} sessions/s"
    if not scale:
        least = f"about {number_text(STEPS[0] * peak.sessions)} sessions/s"
        return f"{target} does not meet the SLO ({slo}) even with the smallest load, {least}: nothing is played"
    if not found.limited:
        return f"{target} meets the SLO ({slo}) at the whole load, {whole}: it is not scaled"
    carried = f"up to about {found.calls / peak.calls * peak.sessions:.1f} sessions/s"
    what = f"load scaled by {number_text(scale)}" if scale < 1 else "the load is not scaled"
    return f"{target} meets the SLO ({slo}) {carried} of {whole}: {what}"
