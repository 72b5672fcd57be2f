"""`brownout gate`: checks everything first, plays, writes the files, and prints what matters."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from brownout.result import Result
from chaos.cli.console import open_console
from chaos.cli.gate.files import FILES, tell_github
from chaos.cli.gate.plan import ExperimentPlan, make_plans
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest
from chaos.cli.gate.show import result_renderable
from chaos.cli.lasting_output import nonblocking_output
from chaos.cli.output import Output
from chaos.cli.preparation import port_warning
from chaos.cli.scale_ramp import fit_scale
from chaos.cli.side_by_side import Variant
from chaos.experiment.commands import command_notice
from chaos.experiment.load_scale import parse_scale
from chaos.runner.record_writer import new_folder, point_latest
from reports.shared.errors import UserError
from reports.shared.plain_text import printable

__all__ = ["gate", "run_gate"]


def gate(request: GateRequest, *, output: Output, words: Sequence[str]) -> Result | int:
    """Play a gate. Returns its result, which is written below `output.out`, or below a new folder of `output.runs`.

    An exit code instead of a result: `--scale auto` found nothing that can be played. Raises UserError before anything
    is started.
    """
    plans = make_plans(request)
    _say(plans)
    folder = _folder(output)
    output = replace(output, out=folder)
    if parse_scale(request.scale) == "auto":
        fitted = _fitted(output, plans, words)
        if isinstance(fitted, int):
            return fitted
        plans = fitted
    result = GatePlay(output, request, plans, folder, shlex.join(words)).play()
    paths = {plan.head.name: plan.head.path for plan in plans}
    warning = tell_github(result, paths, os.environ, output.console.file)  # type: ignore[arg-type]
    if warning:
        print(printable(f"warning: {warning}"), file=sys.stderr)
    return result


def run_gate(
    request: GateRequest, *, runs: Path, out: Path | None, as_json: bool, quiet: bool, words: list[str]
) -> int:
    """`brownout gate`. Returns the exit code. `as_json`: the result on standard output, all else on standard error."""
    console = open_console(sys.stderr) if as_json else open_console()
    result = gate(request, output=Output(runs, quiet, out, console=console), words=words)
    if isinstance(result, int):
        return result
    with nonblocking_output():
        console.print(result_renderable(result))
    if as_json:
        print(json.dumps(result.to_json(), indent=1))
    return result.exit_code


def _folder(output: Output) -> Path:
    """The folder of the result: without the files of an earlier gate, so that none is taken for this one's."""
    if output.out is None:
        folder = new_folder(output.runs, "gate")
        point_latest(folder)
        return folder
    out = output.out
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "runs").mkdir(exist_ok=True)
        for name in FILES:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write into {out}: {error.strerror}. Name another folder with --out") from error
    return out


def _say(plans: Sequence[ExperimentPlan]) -> None:
    """Warnings and notices of the experiments, each once, on standard error."""
    experiments = [one for plan in plans for one in (plan.head, plan.base) if one is not None]
    lines = [f"warning: {warning.problem}" for one in experiments for warning in one.warnings]
    lines += [f"warning: {line}" for one in experiments if (line := port_warning(one))]
    lines += [line for one in experiments for line in command_notice(one)]
    for line in dict.fromkeys(lines):
        print(printable(line), file=sys.stderr)


def _fitted(output: Output, plans: Sequence[ExperimentPlan], words: Sequence[str]) -> list[ExperimentPlan] | int:
    """The plans with the load that every target of them carries; an exit code where none does."""
    fitted = []
    for plan in plans:
        sides = [(plan.head_side, plan.head)] + ([(plan.base_side, plan.base)] if plan.base is not None else [])
        variants = [(Variant(side.label or None, None, None), experiment) for side, experiment in sides]
        ramps = replace(output, out=output.out / "runs" if output.out is not None else None)
        fit = fit_scale(ramps, variants, command=shlex.join(words))
        if fit.scale is None:
            output.console.print(Text("the gate was not played", style="bold red"))
            return fit.exit_code
        scaled = replace(plan.base, scale=fit.scale) if plan.base is not None else None
        fitted.append(replace(plan, head=replace(plan.head, scale=fit.scale), base=scaled))
    return fitted
