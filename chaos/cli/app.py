"""The command `brownout`. Each command imports what it needs when it runs, so that `--help` answers at once.

Exit codes: 0 every gate passed; 1 a gate failed; 2 wrong usage or an invalid file; 3 inconclusive; 4 a guardrail
stopped the run; 5 the target or the tool itself failed; 130 interrupted, everything reverted.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["app", "main"]

app = typer.Typer(
    name="brownout",
    help="Find out how an LLM inference stack fails before its users do.",
    epilog="Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 guardrail, 5 target or tool, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ExperimentArgument = Annotated[str, typer.Argument(help="A name of the catalogue, or a file.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder that the records of runs go to.")]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="A stack of `brownout list stacks`, or a file, instead of the experiment's."),
]
StacksOption = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Option("--stack", help="A stack of `brownout list stacks`, or a file; several are played side by side."),
]
SeedsOption = Annotated[
    Optional[list[int]],  # noqa: UP045
    typer.Option("--seed", help="Another seed: other sessions, other draws; several are played side by side."),
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Another seed: other sessions, other draws.")]
TraceOption = Annotated[
    Path | None, typer.Option("--trace", help="Play the real sessions in this folder or file, not the profile's.")
]
FormatOption = Annotated[
    str | None, typer.Option("--trace-format", help="Trace: what wrote it, if that is not to be seen in it.")
]
Ratio = Optional[float]  # noqa: UP045 - typer reads it at run time
SpeedOption = Annotated[Ratio, typer.Option("--speed", help="Trace: divides the time between calls.")]
RateOption = Annotated[str | None, typer.Option("--rate", help="Trace: sessions a second, or recorded.")]
LimitOption = Annotated[int | None, typer.Option("--limit", help="Trace: at most so many sessions.")]
MaxCallsOption = Annotated[int | None, typer.Option("--max-calls", help="Trace: at most so many calls a session.")]
ShrinkOption = Annotated[Ratio, typer.Option("--shrink", help="Trace: divides all token counts.")]
MaxPauseOption = Annotated[str | None, typer.Option("--max-pause", help="Trace: longest pause between calls, as 2s.")]
StreamingOption = Annotated[str | None, typer.Option("--streaming", help="Trace: force, or as recorded.")]
SkipBadOption = Annotated[bool, typer.Option("--skip-bad", help="Trace: go on past what cannot be read, and count it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for tools.")]


def _trace(
    folder: Path | None,
    trace_format: str | None,
    speed: float | None,
    rate: str | None,
    limit: int | None,
    max_calls: int | None,
    max_pause: str | None,
    shrink: float | None,
    streaming: str | None,
    skip_bad: bool,
) -> dict[str, object] | None:
    from reports.shared.errors import UserError

    options = {
        "format": trace_format,
        "speed": speed,
        "rate": rate,
        "limit": limit,
        "max_calls": max_calls,
        "max_pause": max_pause,
        "shrink": shrink,
        "streaming": streaming,
        "skip_bad": skip_bad or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if folder is None:
        if given:
            names = ", ".join("--" + name.replace("_", "-").replace("format", "trace-format") for name in given)
            raise UserError(f"{names}: only with --trace PATH")
        return None
    return {"dir": str(folder), **given}


@app.command("list")
def list_command(
    what: Annotated[
        str, typer.Argument(help="experiments, stacks, profiles, faults or measures; or an experiment, told in full.")
    ] = "experiments",
    as_json: JsonOption = False,
) -> None:
    """The catalogue: experiments by family, and what they are made of."""
    from chaos.cli.listing import print_list

    print_list(what, as_json=as_json)


@app.command()
def show(
    experiment: ExperimentArgument,
    as_json: JsonOption = False,
) -> None:
    """One experiment in full: what happens, what to look at, what helps, its gates, how to play it."""
    from chaos.cli.listing import print_list

    print_list(experiment, as_json=as_json)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="Names of the catalogue, or files.")],
    stack: StackOption = None,
    seed: SeedOption = None,
    trace: TraceOption = None,
    trace_format: FormatOption = None,
    speed: SpeedOption = None,
    rate: RateOption = None,
    limit: LimitOption = None,
    max_calls: MaxCallsOption = None,
    max_pause: MaxPauseOption = None,
    shrink: ShrinkOption = None,
    streaming: StreamingOption = None,
    skip_bad: SkipBadOption = False,
) -> None:
    """Validate, and print the plan and the samples that each gate will get; touch nothing."""
    from chaos.cli.preparation import check_experiments

    options = _trace(trace, trace_format, speed, rate, limit, max_calls, max_pause, shrink, streaming, skip_bad)
    raise typer.Exit(check_experiments(files, stack=stack, seed=seed, trace=options))


@app.command()
def run(
    experiment: ExperimentArgument,
    stack: StacksOption = None,
    seed: SeedsOption = None,
    trace: TraceOption = None,
    trace_format: FormatOption = None,
    speed: SpeedOption = None,
    rate: RateOption = None,
    limit: LimitOption = None,
    max_calls: MaxCallsOption = None,
    max_pause: MaxPauseOption = None,
    shrink: ShrinkOption = None,
    streaming: StreamingOption = None,
    skip_bad: SkipBadOption = False,
    twin: Annotated[
        bool, typer.Option("--twin", help="Play the same without the faults as well, and tell what they changed.")
    ] = False,
    short: Annotated[
        bool, typer.Option("--short", help="All of it in eight seconds: whether it plays, not what the stack is worth.")
    ] = False,
    confirm: Annotated[
        bool,
        typer.Option("--confirm", help="If it is still down after the recovery, shed new sessions, let them back."),
    ] = False,
    runs: RunsOption = Path("runs"),
    yes_i_may: Annotated[
        bool, typer.Option("--yes-i-may", help="I may put load on the address in `target: {url: ...}`.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the verdict.")] = False,
) -> None:
    """Play an experiment; write the record; print the verdict."""
    from chaos.cli.preparation import prepare
    from chaos.cli.run import run_experiment
    from chaos.cli.side_by_side import combinations, run_side_by_side
    from reports.shared.errors import UserError

    options = _trace(trace, trace_format, speed, rate, limit, max_calls, max_pause, shrink, streaming, skip_bad)
    told: dict[str, None] = {}
    plays = [
        (
            one,
            prepare(
                experiment,
                stack=one,
                seed=number,
                trace=options,
                may_leave_loopback=yes_i_may,
                short=short,
                confirm=confirm,
                tell=lambda line: told.setdefault(line),
            ),
        )
        for one, number in combinations(stack, seed)
    ]
    for line in told:
        typer.echo(f"trace: {line}", err=True)
    if short and confirm:
        raise UserError("--confirm takes longer than a short form is: leave --short out")
    if twin and len(plays) > 1:
        raise UserError("--twin goes with one stack and one seed: play the others for themselves")
    if twin:
        from chaos.cli.twin import run_with_twin

        raise typer.Exit(run_with_twin(plays[0][1], runs=runs, quiet=quiet, command=shlex.join(_words())))
    if len(plays) > 1:
        raise typer.Exit(run_side_by_side(plays, runs=runs, quiet=quiet, words=_words()))
    raise typer.Exit(run_experiment(plays[0][1], runs=runs, quiet=quiet, command=shlex.join(_words())))


@app.command()
def compare(
    run_folders: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="Folders of runs.")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="Write comparison.html, .md and .json into this folder."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put runs side by side: their gates, what was measured, what differs."""
    from chaos.cli.side_by_side import compare_runs

    raise typer.Exit(compare_runs(run_folders, out, as_json=as_json))


@app.command()
def report(run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]) -> None:
    """Make the reports again from a run's record, also one that was cut short."""
    from chaos.cli.verdict import analyse_and_print, existing_run

    raise typer.Exit(analyse_and_print(existing_run(run_folder)))


@app.command("trace")
def trace_command(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    failover: Annotated[bool, typer.Option("--failover", help="Only the calls that met a fault.")] = False,
    call: Annotated[str | None, typer.Option("--call", help="One call: SESSION/AGENT#TURN.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Print at most so many calls, the worst first.")] = 3,
) -> None:
    """Print the waterfall of calls: attempts, where they died, what was decided and why, what the client felt."""
    from chaos.cli.verdict import existing_run
    from reports.waterfall.terminal import print_waterfalls

    raise typer.Exit(print_waterfalls(existing_run(run_folder), failover=failover, call=call, most=most))


@app.command()
def serve(
    what: Annotated[str, typer.Argument(help="stack: replicas and gateway, for a person or another tool to call.")],
    stack: Annotated[str, typer.Option("--stack", help="A stack of `brownout list`, or a file.")] = "multi-cloud",
    port: Annotated[int, typer.Option("--port", help="The gateway's port; 0 for a free one.", min=0, max=65535)] = 0,
    runs: RunsOption = Path("runs"),
) -> None:
    """Start a target alone, until Ctrl-C."""
    from chaos.cli.serve import serve_stack
    from reports.shared.errors import UserError

    if what != "stack":
        raise UserError(f"serve {what}: unknown target. Only `brownout serve stack` exists so far")
    raise typer.Exit(serve_stack(stack, port=port, runs=runs))


def _words() -> list[str]:
    return ["brownout", *sys.argv[1:]]


def main() -> int:
    """Run the command line. A user's mistake is its message and exit code 2, never a traceback.

    What nobody foresaw is shown whole, and is 5 (the tool itself failed): Python's own 1 would say that a gate failed.
    """
    from reports.shared.errors import BrownoutError, UserError

    try:
        app()  # answers usage errors itself, and leaves with SystemExit
    except UserError as error:
        print(f"brownout: {error}", file=sys.stderr)
        return 2
    except BrownoutError as error:
        print(f"brownout: {error}", file=sys.stderr)
        return 5
    except KeyboardInterrupt:
        return 130
    except Exception:
        import traceback

        traceback.print_exc()
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
