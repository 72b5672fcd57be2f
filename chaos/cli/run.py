"""`brownout run`: one run, if wanted with retries; a run and its twin; or one run for each stack and seed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from chaos.cli.console import open_console
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun, play
from chaos.cli.preparation import port_warning, prepare, without_options
from chaos.cli.retry_inconclusive import OPTION, play_and_retry, series_code
from chaos.cli.scale_ramp import fit_scale
from chaos.cli.side_by_side import Variant, combinations, play_side_by_side
from chaos.cli.twin import play_with_twin
from chaos.experiment.commands import command_notice
from chaos.experiment.load_scale import parse_scale
from chaos.experiment.model import Experiment
from reports.comparison.spread import read_spreads
from reports.shared.errors import UserError
from reports.shared.plain_text import printable

__all__ = ["run_experiment"]


def run_experiment(
    name: str,
    *,
    stacks: Sequence[str] | None,
    gateways: Sequence[str] | None,
    target: Path | None,
    seeds: Sequence[int] | None,
    trace: dict[str, object] | None,
    scale: str | None,
    twin: bool,
    spread: Path | None,
    short: bool,
    confirm: bool,
    retries: int,
    runs: Path,
    may_leave_loopback: bool,
    allow_exec: bool = False,
    allow_exposed: bool = False,
    quiet: bool,
    words: Sequence[str],
    out: Path | None = None,
    as_json: bool = False,
) -> int:
    """Play an experiment as the options say. Returns the exit code.

    `out`: the record of a single run, or a folder for those of several; None: new folders below `runs`. `as_json`: the
    result on standard output (as `brownout gate` writes it), and all else on standard error.

    `retries`: how often a run that the machine left inconclusive is played again, 0 without `--retry-inconclusive`.
    `words`: the command line, for the records. Raises UserError before anything is started: for invalid files, for
    options that exclude each other, and for a target that is not this machine.
    """
    read_spreads(spread)
    factor = parse_scale(scale)
    notes: dict[str, None] = {}  # each note once
    plays = [
        (
            variant,
            prepare(
                name,
                stack=variant.stack,
                gateway=variant.gateway,
                target=target,
                seed=variant.seed,
                trace=trace,
                may_leave_loopback=may_leave_loopback,
                allow_exec=allow_exec,
                allow_exposed=allow_exposed,
                short=short,
                confirm=confirm,
                scale=1.0 if isinstance(factor, str) else factor,
                on_note=lambda line: notes.setdefault(line),
            ),
        )
        for variant in combinations(stacks, gateways, seeds)
    ]
    for line in notes:
        print(f"trace: {line}", file=sys.stderr)
    warnings = dict.fromkeys(warning.problem for _, experiment in plays for warning in experiment.warnings)
    for problem in warnings:
        print(printable(f"warning: {problem}"), file=sys.stderr)
    for line in dict.fromkeys(filter(None, (port_warning(experiment) for _, experiment in plays))):
        print(f"warning: {line}", file=sys.stderr)
    for line in dict.fromkeys(line for _, experiment in plays for line in command_notice(experiment)):
        print(printable(line), file=sys.stderr)
    if short and confirm:
        raise UserError("--confirm takes longer than a short form: leave --short out")
    if twin and len(plays) > 1:
        raise UserError("--twin takes one stack, one gateway and one seed: run the others separately")
    if twin and retries:
        raise UserError(
            f"--twin and {OPTION} exclude each other: play the experiment with {OPTION} first, and with --twin when "
            f"this machine is quiet"
        )
    several = len(plays) > 1 or twin or bool(retries) or isinstance(factor, str)
    console = open_console(sys.stderr) if as_json else open_console()
    output = Output(runs, quiet, out, single=not several, console=console)
    if isinstance(factor, str):
        fitted = fit_scale(output, plays, command=shlex.join(words))
        if fitted.scale is None:
            return fitted.exit_code
        plays = [(variant, replace(experiment, scale=fitted.scale)) for variant, experiment in plays]
        words = [*without_options(words, "--scale"), "--scale", f"{fitted.scale:g}"]
    if spread is not None and not (twin or len(plays) > 1):
        raise UserError("--spread needs a comparison: give --twin, or several --stack")
    code, played = _play(output, plays, twin=twin, retries=retries, words=words, spread=spread)
    if as_json:
        from chaos.cli.run_json import print_result  # 0.3 s

        print_result(played, code, command=shlex.join(words))
    return code


def _play(
    output: Output,
    plays: Sequence[tuple[Variant, Experiment]],
    *,
    twin: bool,
    retries: int,
    words: Sequence[str],
    spread: Path | None,
) -> tuple[int, list[PlayedRun]]:
    """Play it. Returns the exit code of all, and every run."""
    if len(plays) > 1:
        return play_side_by_side(output, plays, retries=retries, words=words, spread=spread)
    _, experiment = plays[0]
    command = shlex.join(words)
    if twin:
        run = play_with_twin(output, experiment, command=command, spread=spread)
        return run.exit_code, [run]
    if retries:
        command = shlex.join(without_options(words, OPTION))
        played = play_and_retry(output, experiment, retries=retries, command=command)
        return series_code([run.exit_code for run in played]), played
    run = play(output, experiment, command=command)
    return run.exit_code, [run]
