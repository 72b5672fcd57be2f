"""What a gate will play: the runs of each experiment, their sides and seeds. Problems are found before anything starts.

The seeds are the experiment's own and those that follow it, so that repeated runs have other sessions; beside a
baseline they are the baseline's. With another side (`--against`), each seed is played on both sides, which begin in
turn: head, base, base, head, ... A machine that becomes slower then slows both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from chaos.cli.gate.request import DEFAULT_WITHIN_S, USUAL_PAIRS, GateRequest
from chaos.cli.gate.sides import OWN_SIDE, SideOptions, other_side
from chaos.cli.preparation import prepare
from chaos.cli.scale_ramp import STEP_S, STEPS
from chaos.experiment.load_scale import parse_scale
from chaos.experiment.model import Experiment
from chaos.experiment.timeline import phases
from reports.comparison.chance import MIN_PAIRS
from reports.comparison.conditions import Conditions
from reports.gating.baseline import Baseline, BaselineFile, check_applies, find_baseline, read_baselines
from reports.gating.looks import MOST_LOOKS
from reports.gating.tolerances import Tolerance, declared_tolerances
from reports.report.build import SCHEMA
from reports.shared.errors import UserError
from reports.shared.machine import machine_text, this_machine
from reports.shared.phases import GATE_PHASES
from reports.shared.units import duration_text
from reports.shared.wording import target_text

__all__ = ["ExperimentPlan", "Side", "Turn", "make_plans", "planned_conditions", "run_s"]

Side = Literal["head", "base"]

MAX_SEED: Final = 2**63 - 1
_AROUND_S: Final = 8.0
"""Of a run, before and after its load: processes start and end, and the record is analysed; seconds."""
_DRAIN_SHARE: Final = 0.25
"""Of the planned drain, which ends with the last call; it is rarely needed whole."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run that is to be played."""

    side: Side
    seed: int


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The runs of one experiment. `name`: as the user wrote it.

    `experiments`: by side and seed, prepared with that seed, because it draws the sessions and the faults. `seeds`: in
    order, at most so many are played. `baseline`: the stored runs of it; None without. `tolerances`: of the comparison
    with the base or the baseline.
    """

    name: str
    experiments: Mapping[Turn, Experiment]
    head_side: SideOptions
    seeds: tuple[int, ...]
    until_decided: bool = False
    base_side: SideOptions = OWN_SIDE
    baseline: Baseline | None = None
    tolerances: tuple[Tolerance, ...] = ()

    @property
    def head(self) -> Experiment:
        """The experiment with its first seed."""
        return self.experiments[Turn("head", self.seeds[0])]

    @property
    def base(self) -> Experiment | None:
        """The same on the other side; None without one."""
        return self.experiments.get(Turn("base", self.seeds[0]))

    @property
    def sides(self) -> int:
        """How many runs a seed has."""
        return 1 if self.base is None else 2

    @property
    def base_label(self) -> str:
        """What the head is compared with, in words; "" if with nothing."""
        if self.baseline is not None:
            return self.baseline.label
        return self.base_side.label if self.base is not None else ""

    @property
    def compared(self) -> bool:
        """Whether the runs are compared with others."""
        return self.base is not None or self.baseline is not None

    def turns(self) -> Iterator[Turn]:
        """The runs in the order in which they are played."""
        for number, seed in enumerate(self.seeds):
            pair = [Turn("head", seed)] if self.base is None else [Turn("head", seed), Turn("base", seed)]
            yield from reversed(pair) if number % 2 else pair

    def of(self, turn: Turn) -> Experiment:
        """The experiment of a turn, with its seed."""
        return self.experiments[turn]

    def scaled(self, scale: float) -> ExperimentPlan:
        """The same with this factor of the load."""
        scaled = {turn: replace(experiment, scale=scale) for turn, experiment in self.experiments.items()}
        return replace(self, experiments=scaled)

    @property
    def fewest(self) -> int:
        """The fewest runs that can decide: all; with `until_decided` one, or where sides are compared five pairs."""
        seeds = (MIN_PAIRS if self.compared else 1) if self.until_decided else len(self.seeds)
        return seeds * self.sides

    @property
    def least_s(self) -> float:
        """How long these take, seconds."""
        return self.fewest * run_s(self.head)


def run_s(experiment: Experiment) -> float:
    """About how long a run takes, with its start and its analysis, seconds."""
    return experiment.load_s + _DRAIN_SHARE * experiment.timeline.drain_s + _AROUND_S


def ramp_s(experiment: Experiment) -> float:
    """About how long a ramp of `--scale auto` takes, seconds."""
    return run_s(experiment) - experiment.load_s + STEP_S * len(STEPS)


def make_plans(request: GateRequest) -> list[ExperimentPlan]:
    """The plan of each experiment. Raises UserError with every problem of every experiment, and for wrong options."""
    _check_options(request)
    stored = read_baselines(request.baseline) if request.baseline is not None else None
    plans, problems = [], []
    for name in request.experiments:
        try:
            plans.append(_plan(name, request, stored))
        except UserError as error:
            problems += str(error).splitlines()
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))
    names = [plan.head.name for plan in plans]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two experiments have the name {twice[0]}: name each once, or change `name:` in one of them")
    _check_time(request, plans)
    return plans


def _check_options(request: GateRequest) -> None:
    compared = [option for option, given in (("--baseline", request.baseline), ("--against", request.against)) if given]
    if len(compared) == 2:
        raise UserError("--baseline and --against exclude each other: compare with stored runs, or with another side")
    if request.scale is not None and request.baseline is not None and parse_scale(request.scale) == "auto":
        raise UserError("--scale auto: a baseline was played with a fixed load: give its factor, as in --scale 0.5")
    if request.tolerances and not compared:
        raise UserError("--tolerance is about a comparison: give --baseline FILE, or --against STACK, GATEWAY or FILE")
    if request.seed is not None and request.baseline is not None:
        raise UserError("--seed: the runs are paired with those of the baseline, whose seeds they get: leave it out")
    if compared and request.repeat is not None and request.repeat < MIN_PAIRS:
        raise UserError(
            f"--repeat {request.repeat}: {compared[0]} needs at least {MIN_PAIRS} runs, because fewer pairs cannot tell"
            f" a regression from chance"
        )
    if request.until_decided and request.repeat is not None and request.repeat > MOST_LOOKS:
        raise UserError(
            f"--repeat {request.repeat}: --until-decided looks at most {MOST_LOOKS} times. Give --repeat {MOST_LOOKS},"
            " or less"
        )
    declared_tolerances(request.tolerances)


def _plan(name: str, request: GateRequest, stored: BaselineFile | None) -> ExperimentPlan:
    head_side = SideOptions(request.stack, request.gateway, request.target)
    first = _prepared(name, head_side, request, request.seed)
    base_side = other_side(request.against, head_side) if request.against is not None else OWN_SIDE
    baseline = _baseline(first, stored, request.baseline) if stored is not None else None
    seeds = _seeds(first, request, baseline)
    sides: dict[Side, SideOptions] = {"head": head_side}
    if request.against is not None:
        sides["base"] = base_side
    experiments = {
        Turn(side, seed): _prepared(name, options, request, seed) for seed in seeds for side, options in sides.items()
    }
    standard = {"base": baseline.tolerances} if baseline is not None else {}
    compared = baseline is not None or request.against is not None
    given = (*first.tolerances, *request.tolerances)
    return ExperimentPlan(
        name=name,
        experiments=experiments,
        head_side=head_side,
        seeds=seeds,
        until_decided=request.until_decided,
        base_side=base_side,
        baseline=baseline,
        tolerances=declared_tolerances(given, first.gates, **standard) if compared else (),
    )


def _prepared(name: str, side: SideOptions, request: GateRequest, seed: int | None) -> Experiment:
    scale = parse_scale(request.scale)
    return prepare(
        name,
        stack=side.stack,
        gateway=side.gateway,
        target=side.target,
        seed=seed,
        trace=None,
        may_leave_loopback=request.may_leave_loopback,
        allow_exec=request.allow_exec,
        allow_exposed=request.allow_exposed,
        short=request.short,
        scale=1.0 if isinstance(scale, str) else scale,
    )


def _seeds(head: Experiment, request: GateRequest, baseline: Baseline | None) -> tuple[int, ...]:
    if baseline is not None:
        wanted = request.repeat or (MOST_LOOKS if request.until_decided else USUAL_PAIRS)
        if request.repeat is not None and wanted > len(baseline.seeds):
            raise UserError(
                f"{request.baseline}: its baseline of {head.name} has {len(baseline.seeds)} runs, so at most so many "
                f"can be paired: --repeat {len(baseline.seeds)}"
            )
        return baseline.seeds[:wanted]
    fallback = MOST_LOOKS if request.until_decided else USUAL_PAIRS if request.against is not None else 1
    wanted = request.repeat or fallback
    if head.seed + wanted - 1 > MAX_SEED:
        raise UserError(
            f"--seed {head.seed}: {wanted} runs need {wanted} seeds, of at most {MAX_SEED}: give a smaller one"
        )
    return tuple(head.seed + number for number in range(wanted))


def _baseline(head: Experiment, stored: BaselineFile, path: Path | None) -> Baseline:
    """The baseline that applies to an experiment. Raises UserError where there is none."""
    played = planned_conditions(head)
    found, why = find_baseline(stored, played.experiment, played.target)
    if found is None:
        raise UserError(f"{path}: {why}. Save one with: brownout baseline save {head.name} --out {path}")
    if problems := check_applies(found, played, machine_text(*this_machine()), report_schema=SCHEMA):
        raise UserError(
            "\n".join(f"{path}: {problem}" for problem in problems)
            + f"\n    Save a new one with: brownout baseline save {head.name} --out {path}"
        )
    return found


def planned_conditions(experiment: Experiment) -> Conditions:
    """What a run of this experiment will have as its conditions, as far as the plan can say."""
    lengths = {name: end - begin for name, (begin, end) in phases(experiment).items() if name in GATE_PHASES}
    gateway = str(experiment.gateway) if experiment.gateway is not None else None
    url = experiment.url.url if experiment.url is not None else None
    stack = experiment.stack.name if experiment.stack is not None else None
    return Conditions(
        experiment=experiment.name,
        target=target_text({"gateway": gateway, "url": url, "stack": stack}),
        twin=False,
        short_form=experiment.short_form,
        profile=experiment.profile.name,
        trace=json.dumps(experiment.trace, sort_keys=True),
        slo={"ttft": experiment.slo.ttft_s, "tpot": experiment.slo.tpot_s},
        phases_s=lengths,
        load_scale=experiment.scale,
    )


def _check_time(request: GateRequest, plans: Sequence[ExperimentPlan]) -> None:
    """Raises UserError where the time does not allow what is asked."""
    within_s = request.within_s if request.within_s is not None else DEFAULT_WITHIN_S if request.until_decided else None
    ramps = plans if parse_scale(request.scale) == "auto" else []
    needed_s = sum(plan.least_s for plan in plans) + sum(plan.sides * ramp_s(plan.head) for plan in ramps)
    if within_s is None or needed_s <= within_s:
        return
    runs = " + ".join(
        f"{plan.least_s / run_s(plan.head):.0f} x {duration_text(round(run_s(plan.head)))} for {plan.head.name}"
        for plan in plans
    )
    given = "given by --within" if request.within_s is not None else "that --until-decided may take without --within"
    several = not request.until_decided and any(len(plan.seeds) > 1 for plan in plans)
    less = ", or a smaller --repeat" if several else ""
    raise UserError(
        f"the runs do not fit into the {duration_text(within_s)} {given}: they take about "
        f"{duration_text(round(needed_s))} ({runs}). Give --within {needed_s // 60 + 1:.0f}m{less}"
    )
