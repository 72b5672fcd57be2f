"""`brownout gate`: checks everything first, plays, writes the files, and prints what matters."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brownout.result import Result, Verdict
from chaos.cli.console import open_console
from chaos.cli.gate.budget import Budget
from chaos.cli.gate.files import result_folder, tell_github
from chaos.cli.gate.plan import ExperimentPlan, make_plans
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest, within_s
from chaos.cli.gate.show import result_renderable
from chaos.cli.output import Output
from chaos.cli.preparation import port_warning
from chaos.cli.scale_ramp import fit_scale
from chaos.cli.side_by_side import Variant
from chaos.experiment.commands import command_notice
from chaos.experiment.load_scale import parse_scale
from chaos.runner.record_writer import new_folder, point_latest
from reports.gating.outcome import EXIT_CODES
from reports.shared.errors import TargetFailed
from reports.shared.plain_text import printable

__all__ = ["gate", "run_gate"]


def gate(request: GateRequest, *, output: Output, words: Sequence[str], within: str | None = None) -> Result:
    """Play a gate. Returns its result, which is written below `output.out`, or below a new folder of `output.runs`.

    `within`: as typed, in place of that of `request`. Raises UserError before any load is sent, for wrong options and
    files. The files of an earlier gate are gone then.
    """
    command = shlex.join(words)
    with result_folder(output.out) as claimed:
        if within is not None:
            request = replace(request, within_s=within_s(within))
        plans = make_plans(request)
        _say(plans)
        folder = claimed or _new_folder(output.runs)
        (folder / "runs").mkdir(exist_ok=True)
        output = replace(output, out=folder)
        budget = Budget(request.limit_s)
        playing = GatePlay(output, request, plans, folder, command, budget)
        if parse_scale(request.scale) == "auto":
            playing.begin()
            fitted, unfit, why = _fitted(output, plans, command)
            if unfit is not None:
                return _told(playing.finish(playing.without_runs(unfit, why)), plans, output)
            playing = GatePlay(output, request, fitted, folder, command, budget)
        return _told(playing.play(), plans, output)


def run_gate(
    request: GateRequest,
    *,
    runs: Path,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    words: list[str],
    within: str | None = None,
) -> int:
    """`brownout gate`. Returns the exit code.

    `within`: as typed. `as_json`: the result on standard output, all else on standard error.
    """
    console = open_console(sys.stderr) if as_json else open_console()
    result = gate(request, output=Output(runs, quiet, out, console=console), words=words, within=within)
    console.print(result_renderable(result))
    if as_json:
        print(json.dumps(result.to_json(), indent=1))
    return result.exit_code


def _new_folder(runs: Path) -> Path:
    folder = new_folder(runs, "gate")
    point_latest(folder)
    return folder


def _told(result: Result, plans: Sequence[ExperimentPlan], output: Output) -> Result:
    """The result, once GitHub was told of it."""
    paths = {plan.head.name: plan.head.path for plan in plans}
    warning = tell_github(result, paths, os.environ, output.console.file)  # type: ignore[arg-type]
    if warning:
        print(printable(f"warning: {warning}"), file=sys.stderr)
    return result


def _say(plans: Sequence[ExperimentPlan]) -> None:
    """Warnings and notices of the experiments, each once, on standard error."""
    experiments = [one for plan in plans for one in (plan.head, plan.base) if one is not None]
    lines = [f"warning: {warning.problem}" for one in experiments for warning in one.warnings]
    lines += [f"warning: {line}" for one in experiments if (line := port_warning(one))]
    lines += [line for one in experiments for line in command_notice(one)]
    lines += [f"trace: {line}" for one in experiments for line in one.trace_notes]
    lines += [
        f"warning: both sides of {plan.head.name} are the same: {plan.base_label}"
        for plan in plans
        if plan.base is not None and plan.base == plan.head
    ]
    for line in dict.fromkeys(lines):
        print(printable(line), file=sys.stderr)


def _fitted(
    output: Output, plans: Sequence[ExperimentPlan], command: str
) -> tuple[list[ExperimentPlan], ExperimentPlan | None, dict[Verdict, list[str]]]:
    """The plans with the load that every target of them carries, or the one that has none, and why by verdict."""
    fitted: list[ExperimentPlan] = []
    ramps = replace(output, out=output.out / "runs" if output.out is not None else None)
    for plan in plans:
        sides = [(plan.head_side, plan.head)] + ([(plan.base_side, plan.base)] if plan.base is not None else [])
        variants = [(Variant(side.label or None, None, None), experiment) for side, experiment in sides]
        try:
            fit = fit_scale(ramps, variants, command=command)
        except KeyboardInterrupt:
            return [], plan, {"interrupted": ["interrupted by the user"]}
        except TargetFailed as error:
            return [], plan, {"failed": [str(error)]}
        if fit.scale is None:
            verdict: Verdict = next((one for one, code in EXIT_CODES.items() if code == fit.exit_code), "failed")
            why = f"--scale auto found no load for {plan.head.name}: see the ramp in {ramps.out}"
            return [], plan, {verdict: [why]}
        fitted.append(plan.scaled(fit.scale))
    return fitted, None, {}
