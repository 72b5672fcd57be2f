"""The command `brownout`: declares its commands and their options; each is implemented in a module of its own.

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

ExperimentArgument = Annotated[str, typer.Argument(help="A name from `brownout list`, or a file.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder for the records of runs.")]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="A stack from `brownout list stacks`, or a file, instead of the experiment's own."),
]
StacksOption = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Option("--stack", help="A stack from `brownout list stacks`, or a file. Repeat it to compare several."),
]
SeedsOption = Annotated[
    Optional[list[int]],  # noqa: UP045
    typer.Option("--seed", help="Another seed: other sessions and draws. Repeat it to compare several."),
]
GatewaysOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--gateway",
        metavar="NAME[:PRESET]",
        help="A real gateway from `brownout targets` in front of the stack's replicas. Repeat it to compare several.",
    ),
]
GatewayOption = Annotated[
    str | None,
    typer.Option("--gateway", metavar="NAME[:PRESET]", help="A real gateway in front of the stack's replicas."),
]
TargetOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--target", help="A file with another `target:`, such as a gateway of yours."),
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Another seed: other sessions and draws.")]
TraceOption = Annotated[
    Path | None,
    typer.Option("--trace", help="Replay the sessions recorded in this folder or file."),
]
FormatOption = Annotated[
    str | None, typer.Option("--trace-format", help="Trace: its format, if it cannot be detected.")
]
Ratio = Optional[float]  # noqa: UP045 - typer reads it at run time
SpeedOption = Annotated[Ratio, typer.Option("--speed", help="Trace: divide the time between calls by this number.")]
RateOption = Annotated[str | None, typer.Option("--rate", help="Trace: sessions per second, or: recorded.")]
LimitOption = Annotated[int | None, typer.Option("--limit", help="Trace: the maximum of sessions.")]
MaxCallsOption = Annotated[int | None, typer.Option("--max-calls", help="Trace: the maximum of calls per session.")]
ShrinkOption = Annotated[Ratio, typer.Option("--shrink", help="Trace: divide all token counts by this number.")]
MaxPauseOption = Annotated[str | None, typer.Option("--max-pause", help="Trace: the longest pause between calls: 2s.")]
StreamingOption = Annotated[str | None, typer.Option("--streaming", help="Trace: force streaming, or: recorded.")]
SkipBadOption = Annotated[bool, typer.Option("--skip-bad", help="Trace: skip and count lines that cannot be read.")]
SpreadOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--spread", help="A file with the spread of equal runs, by which a single pair is judged."),
]
AtOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--at", metavar="NAME", help="Which stack, if several are up: a name of `brownout status`."),
]
ScaleOption = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="FACTOR|auto",
        help="Multiply the rate of sessions; auto: a ramp before the run finds what meets the SLO, at most 1.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for other tools.")]


@app.command("list")
def list_command(
    what: Annotated[
        str, typer.Argument(help="experiments, stacks, profiles, faults or measures; or the name of one experiment.")
    ] = "experiments",
    target: TargetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List experiments, stacks, profiles, faults or measures.

    With --target: which experiments this target can play, and why not the others.
    """
    from chaos.cli.listing import print_list

    print_list(what, target=target, as_json=as_json)


@app.command()
def show(
    experiment: ExperimentArgument,
    as_json: JsonOption = False,
) -> None:
    """Show one experiment: what happens, what helps, its gates.

    Also what to look at in the report, and the commands that run it.
    """
    from chaos.cli.show import print_experiment

    print_experiment(experiment, as_json=as_json)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="Names from `brownout list`, or files.")],
    stack: StackOption = None,
    gateway: GatewayOption = None,
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
    """Validate experiments and print their plans; start nothing.

    The plan says as well how many samples each gate will get, and whether they are enough.
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
    code = check_experiments(files, stack=stack, gateway=gateway, seed=seed, trace=options, target=target, scale=scale)
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
    short: Annotated[bool, typer.Option("--short", help="Smoke run of 8 seconds; too short for most gates.")] = False,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="If the stack is still down after the recovery: shed new sessions, then admit them.",
        ),
    ] = False,
    retry_inconclusive: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--retry-inconclusive",
            metavar="N",
            min=1,
            max=10,
            help="If this machine was too busy to decide: play the same run again, at most N times. Keeps every run.",
        ),
    ] = None,
    runs: RunsOption = Path("runs"),
    yes_i_may: Annotated[
        bool, typer.Option("--yes-i-may", help="I have permission to put load on the `target: {url: ...}`.")
    ] = False,
    allow_exec: Annotated[
        bool, typer.Option("--allow-exec", help="Run the commands of exec faults on this machine.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress, only the verdict.")] = False,
) -> None:
    """Run an experiment, write its record, print its verdict."""
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
        quiet=quiet,
        words=["brownout", *sys.argv[1:]],
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


@app.command()
def up(
    stack: Annotated[
        str, typer.Option("--stack", help="A stack from `brownout list stacks`, or a file.")
    ] = "multi-cloud",
    gateway: GatewayOption = None,
    replicas_only: Annotated[
        bool, typer.Option("--replicas-only", help="Only the replicas: the upstreams of a gateway of yours.")
    ] = False,
    first_port: Annotated[
        int, typer.Option("--first-port", help="Port of the first replica, the others follow; 0: free ones.", max=65535)
    ] = 0,
    port: Annotated[int, typer.Option("--port", help="The gateway's port; 0 for a free one.", min=0, max=65535)] = 0,
    profile: Annotated[
        str, typer.Option("--profile", help="The sessions of `brownout load start`.")
    ] = "coding-agent-ci",
    seed: SeedOption = None,
    runs: RunsOption = Path("runs"),
) -> None:
    """Start a stack that stays up until Ctrl-C, for other tools and for chaos by hand.

    From another terminal: brownout inject, revert, restart, status, load, abort, release.
    """
    from chaos.cli.up import serve_up

    code = serve_up(
        stack,
        gateway=gateway,
        replicas_only=replicas_only,
        first_port=first_port,
        port=port,
        profile=profile,
        seed=seed,
        runs=runs,
    )
    raise typer.Exit(code)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def inject(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="A fault from `brownout list faults`.")],
    at: AtOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be hit; inject nothing.")] = False,
) -> None:
    """Inject a fault into a stack that is up: inject kill --pool tpu --for 15s.

    Every key of the fault in an experiment is an option: --pool, --replica, --cloud, --count, --share, --after-tokens.
    Without --for it stays until `brownout revert`.
    """
    from chaos.cli.by_hand import inject_fault

    raise typer.Exit(inject_fault(kind, context.args, at=at, dry_run=dry_run))


@app.command()
def revert(
    fault: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[FAULT]", help="As h1. Without it: all that were injected by hand."),
    ] = None,
    at: AtOption = None,
) -> None:
    """Revert a fault that was injected by hand, and wait until its targets are as before."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "revert", "fault": fault}, at=at))


@app.command()
def restart(
    process: Annotated[str, typer.Argument(help="A replica, as tpu-0, or: gateway.")],
    at: AtOption = None,
) -> None:
    """Start a process of a stack again, and wait until it is ready."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "restart", "process": process}, at=at))


@app.command()
def status(at: AtOption = None, as_json: JsonOption = False) -> None:
    """Show the stacks that are up: processes, load, faults."""
    from chaos.cli.by_hand import print_status

    raise typer.Exit(print_status(at=at, as_json=as_json))


@app.command()
def abort(at: AtOption = None) -> None:
    """Revert everything and stop the load, now. Nothing can be injected until `brownout release`."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "abort"}, at=at))


@app.command()
def release(at: AtOption = None) -> None:
    """Allow injections again after `brownout abort`."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "release"}, at=at))


load_app = typer.Typer(help="Start and stop the load of a stack that is up.", no_args_is_help=True)
app.add_typer(load_app, name="load")


@load_app.command("start")
def load_start(
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--profile", help="A profile from `brownout list profiles`, or a file; else that of `up`."),
    ] = None,
    seed: SeedOption = None,
    at: AtOption = None,
) -> None:
    """Start sessions on a stack that is up."""
    from chaos.cli.by_hand import start_load

    raise typer.Exit(start_load(profile, seed=seed, at=at))


@load_app.command("stop")
def load_stop(at: AtOption = None) -> None:
    """End every session now."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "load_stop"}, at=at))


@app.command(hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> None:
    """The former name of `up`."""
    from reports.shared.errors import UserError

    raise UserError("serve is called up now\n    brownout up [--stack NAME] [--port PORT]")


targets_app = typer.Typer(help="Real gateways: list, install, show their files.")
app.add_typer(targets_app, name="targets")


@targets_app.callback(invoke_without_command=True)
def targets_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the real gateways that can stand in front of the simulated replicas.

    With their presets, and which of them are installed.
    """
    from chaos.cli.targets import print_targets

    if context.invoked_subcommand is None:
        print_targets(as_json=as_json)


@targets_app.command("install")
def targets_install(name: Annotated[str, typer.Argument(help="A gateway from `brownout targets`.")]) -> None:
    """Install a gateway into a folder of its own, below ~/.cache.

    Nothing else on this machine is changed. The cache folder is that of XDG_CACHE_HOME, if it is set.
    """
    from chaos.cli.targets import install_target

    raise typer.Exit(install_target(name))


@targets_app.command("config")
def targets_config(
    choice: Annotated[
        str, typer.Argument(metavar="NAME[:PRESET]", help="A gateway from `brownout targets`; preset: default.")
    ],
    stack: Annotated[
        str, typer.Option("--stack", help="A stack from `brownout list stacks`, or a file.")
    ] = "multi-cloud",
    first_port: Annotated[
        int, typer.Option("--first-port", help="The port of the first replica; the others follow.", min=1, max=65535)
    ] = 18101,
    port: Annotated[
        int, typer.Option("--port", help="The gateway's port; its statistics have the next one.", min=1, max=65534)
    ] = 4000,
    folder: Annotated[Path, typer.Option("--folder", help="The folder that the files will be in.")] = Path("gateway"),
) -> None:
    """Print the files and the command of a gateway; start nothing."""
    from chaos.cli.targets import print_config

    print_config(choice, stack=stack, first_port=first_port, port=port, folder=folder)


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
