"""The command `brownout`: declares its commands; each is implemented in a module of its own.

`options` has the options that several share, `by_hand_commands` and `targets_commands` have more commands.

A command imports its module when it runs, so that `--help` is fast.

Exit codes: 0 every gate passed; 1 a gate failed; 2 wrong usage or an invalid file; 3 inconclusive; 4 a guardrail
stopped the run; 5 the target or the tool itself failed, or a fault was not reverted; 130 interrupted, every fault
reverted. Where several apply: 130, 5, 2, 1, 4, 3, 0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from chaos.cli.by_hand_commands import commands as by_hand_commands
from chaos.cli.gameday_commands import gameday_commands
from chaos.cli.gate_commands import baseline_app, gate_commands
from chaos.cli.history_command import history_commands
from chaos.cli.options import (
    AllowExecOption,
    AllowExposedOption,
    ExperimentArgument,
    FormatOption,
    GatewaysOption,
    JsonOption,
    LimitOption,
    MaxCallsOption,
    MaxPauseOption,
    QuietOption,
    RateOption,
    RetryOption,
    RunsOption,
    ScaleOption,
    SeedOption,
    SeedsOption,
    ShortOption,
    ShrinkOption,
    SkipBadOption,
    SpeedOption,
    SpreadOption,
    StacksOption,
    StreamingOption,
    TargetOption,
    TraceOption,
    YesIMayOption,
)
from chaos.cli.targets_commands import targets_app

__all__ = ["app", "main"]

app = typer.Typer(
    name="brownout",
    help="Find out how an LLM inference stack fails, before its users do.",
    epilog="Exit codes: 0 pass, 1 fail, 2 wrong usage or invalid file, 3 inconclusive, 4 stopped by a guardrail, "
    "5 target or tool failed, 130 interrupted. Where several apply: 130, 5, 2, 1, 4, 3, 0.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command("list")
def list_command(
    what: Annotated[
        str, typer.Argument(help="experiments, scenarios, stacks, profiles, faults or measures; or a name of one.")
    ] = "experiments",
    target: TargetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List experiments, scenarios, stacks, profiles, faults or measures.

    With --target: which experiments this target can play, and why not the others.
    """
    from chaos.cli.listing import print_list

    print_list(what, target=target, as_json=as_json)


@app.command()
def show(
    experiment: ExperimentArgument,
    as_json: JsonOption = False,
) -> None:
    """Show one experiment or scenario: what happens, what helps, its gates or its run sheet.

    Also what to look at, and the commands that play it.
    """
    from chaos.cli.show_named import print_named

    print_named(experiment, as_json=as_json)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="Names from `brownout list`, or files.")],
    stack: StacksOption = None,
    gateway: GatewaysOption = None,
    target: TargetOption = None,
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
    scale: ScaleOption = None,
) -> None:
    """Validate experiments or scenarios and print their plans; start nothing.

    The plan of an experiment says as well how many samples each gate will get, and whether they are enough.
    """
    from chaos.cli.check import check_experiments
    from chaos.cli.preparation import trace_options

    options = trace_options(
        trace,
        format=trace_format,
        speed=speed,
        rate=rate,
        limit=limit,
        max_calls=max_calls,
        max_pause=max_pause,
        shrink=shrink,
        streaming=streaming,
        skip_bad=skip_bad or None,
    )
    code = check_experiments(
        files, stacks=stack, gateways=gateway, seed=seed, trace=options, target=target, scale=scale
    )
    raise typer.Exit(code)


@app.command()
def run(
    experiment: ExperimentArgument,
    stack: StacksOption = None,
    gateway: GatewaysOption = None,
    target: TargetOption = None,
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
    scale: ScaleOption = None,
    twin: Annotated[
        bool, typer.Option("--twin", help="Run it without the faults as well, and report what they changed.")
    ] = False,
    spread: SpreadOption = None,
    short: ShortOption = False,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="If the stack is still down after the recovery: shed new sessions, then admit them.",
        ),
    ] = False,
    retry_inconclusive: RetryOption = None,
    runs: RunsOption = Path("runs"),
    yes_i_may: YesIMayOption = False,
    allow_exec: AllowExecOption = False,
    allow_exposed: AllowExposedOption = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="DIR", help="The record goes into this folder; of several runs, below it."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run an experiment, write its record, print its verdict.

    The link runs/latest leads to the newest record.
    """
    from chaos.cli.preparation import trace_options
    from chaos.cli.run import run_experiment

    options = trace_options(
        trace,
        format=trace_format,
        speed=speed,
        rate=rate,
        limit=limit,
        max_calls=max_calls,
        max_pause=max_pause,
        shrink=shrink,
        streaming=streaming,
        skip_bad=skip_bad or None,
    )
    code = run_experiment(
        experiment,
        stacks=stack,
        gateways=gateway,
        target=target,
        seeds=seed,
        trace=options,
        scale=scale,
        twin=twin,
        spread=spread,
        short=short,
        confirm=confirm,
        retries=retry_inconclusive or 0,
        runs=runs,
        may_leave_loopback=yes_i_may,
        allow_exec=allow_exec,
        allow_exposed=allow_exposed,
        quiet=quiet,
        words=["brownout", *sys.argv[1:]],
        out=out,
        as_json=as_json,
    )
    raise typer.Exit(code)


@app.command()
def compare(
    run_folders: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="Folders of runs.")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="Write comparison.html, .md and .json into this folder."),
    ] = None,
    spread: SpreadOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare runs side by side: gates, measures, differences."""
    from chaos.cli.compare import compare_runs

    raise typer.Exit(compare_runs(run_folders, out, as_json=as_json, spread=spread))


@app.command()
def report(run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]) -> None:
    """Make the reports of a run again from its record.

    The record may be of a run that was interrupted or killed.
    """
    from chaos.cli.verdict import report_run

    raise typer.Exit(report_run(run_folder))


@app.command("trace")
def trace_command(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    failover: Annotated[bool, typer.Option("--failover", help="Only calls that were affected by a fault.")] = False,
    call: Annotated[str | None, typer.Option("--call", help="One call: SESSION/AGENT#TURN.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="The maximum number of calls, the worst first.")] = 3,
) -> None:
    """Print waterfalls of calls: attempts, decisions, gaps.

    Each shows the attempts and where they failed, the decisions of the gateway and their reasons, and the interruption
    that the client observed.
    """
    from chaos.cli.console import SafeConsole
    from chaos.cli.verdict import existing_run
    from reports.waterfall.terminal import print_waterfalls

    raise typer.Exit(
        print_waterfalls(
            existing_run(run_folder),
            failover=failover,
            call=call,
            most=most,
            console=SafeConsole(highlight=False, markup=False, emoji=False),
        )
    )


@app.command()
def heal(
    run_folder: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="[RUN]", help="A run's folder. Without it: every run that has left something."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is to be done; do nothing.")] = False,
    allow_exec: Annotated[
        bool, typer.Option("--allow-exec", help="Run the commands that revert exec faults; else only print them.")
    ] = False,
    runs: RunsOption = Path("runs"),
) -> None:
    """Undo what an ended run has left, and say what was found.

    It does what the run's undo.jsonl still lists. A process is touched only if it is the one of the record. Exit codes:
    0 nothing is left to undo, 5 something is, 2 wrong usage.
    """
    from chaos.cli.heal import heal_runs

    raise typer.Exit(heal_runs(run_folder, runs=runs, dry_run=dry_run, allow_exec=allow_exec))


app.add_typer(gate_commands)
app.add_typer(baseline_app, name="baseline")
app.add_typer(by_hand_commands)
app.add_typer(gameday_commands)
app.add_typer(targets_app, name="targets")
app.add_typer(history_commands)


def main() -> int:
    """Run the command line. Returns the exit code. A user's mistake prints its message, without a traceback.

    An unexpected exception prints its traceback and returns 5 (the tool itself failed): Python's own exit code for it,
    1, would mean that a gate failed.
    """
    import signal

    from chaos.cli.lasting_output import lasting_output

    for signum in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, signal.default_int_handler)
    with lasting_output():
        return _main()


def _main() -> int:
    from chaos.cli.console import error_line
    from reports.shared.errors import BrownoutError, UserError

    try:
        app()  # raises SystemExit, also for a usage error, which it prints itself
    except UserError as error:
        error_line(error)
        return 2
    except BrownoutError as error:
        error_line(error)
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
