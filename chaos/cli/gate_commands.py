"""The commands `brownout gate` and `brownout baseline`, and their options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from chaos.cli.options import (
    AllowExecOption,
    AllowExposedOption,
    GatewayOption,
    JsonOption,
    QuietOption,
    RetryOption,
    RunsOption,
    ScaleOption,
    SeedOption,
    ShortOption,
    StackOption,
    TargetOption,
    YesIMayOption,
)

__all__ = ["baseline_app", "gate_commands"]

gate_commands = typer.Typer()
baseline_app = typer.Typer(help="Stored runs that later ones are compared with.", no_args_is_help=True)

ExperimentsArgument = Annotated[
    list[str], typer.Argument(metavar="EXPERIMENT...", help="Names from `brownout list`, or files.")
]
TolerancesOption = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Option("--tolerance", metavar="MEASURE=SIZE", help="How much worse is accepted: ttft.p95=20%. Repeatable."),
]


@gate_commands.command()
def gate(
    experiments: ExperimentsArgument,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    target: TargetOption = None,
    seed: SeedOption = None,
    scale: ScaleOption = None,
    repeat: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--repeat", metavar="N", min=1, max=100, help="Runs of each experiment, with N seeds."),
    ] = None,
    until_decided: Annotated[
        bool, typer.Option("--until-decided", help="Play until every gate is decided: at most ten runs of each.")
    ] = False,
    within: Annotated[
        str | None, typer.Option("--within", metavar="TIME", help="No run begins that would end later: 20m.")
    ] = None,
    baseline: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--baseline", metavar="FILE", help="Compare with the stored runs of this file."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="STACK|GATEWAY|FILE",
            help="Compare with this other side, whose runs are played in turn with the own ones.",
        ),
    ] = None,
    tolerance: TolerancesOption = None,
    retry_inconclusive: RetryOption = None,
    short: ShortOption = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="DIR", help="gate.json, junit.xml, summary.md and the runs go into this folder."),
    ] = None,
    runs: RunsOption = Path("runs"),
    yes_i_may: YesIMayOption = False,
    allow_exec: AllowExecOption = False,
    allow_exposed: AllowExposedOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Play experiments for a pipeline: one exit code, and files at fixed places.

    Writes gate.json, junit.xml and summary.md into --out, and on GitHub annotations and the summary of the job. With
    --baseline or --against, a measure that became worse than its tolerance fails the gate.
    """
    from chaos.cli.gate.command import run_gate
    from chaos.cli.gate.request import GateRequest

    request = GateRequest(
        experiments=tuple(experiments),
        stack=stack,
        gateway=gateway,
        target=target,
        seed=seed,
        scale=scale,
        repeat=repeat,
        until_decided=until_decided,
        baseline=baseline,
        against=against,
        tolerances=tuple(tolerance or ()),
        retries=retry_inconclusive or 0,
        short=short,
        may_leave_loopback=yes_i_may,
        allow_exec=allow_exec,
        allow_exposed=allow_exposed,
    )
    words = ["brownout", *sys.argv[1:]]
    raise typer.Exit(run_gate(request, runs=runs, out=out, as_json=as_json, quiet=quiet, words=words, within=within))


@baseline_app.command("save")
def baseline_save(
    what: Annotated[
        list[str],
        typer.Argument(metavar="EXPERIMENT|FOLDER...", help="Experiments, which are played; or folders of runs."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file; it keeps other baselines in it.")],
    stack: StackOption = None,
    gateway: GatewayOption = None,
    target: TargetOption = None,
    seed: SeedOption = None,
    scale: ScaleOption = None,
    repeat: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--repeat", metavar="N", min=5, max=100, help="Runs of each experiment; without it, 6."),
    ] = None,
    tolerance: TolerancesOption = None,
    retry_inconclusive: RetryOption = None,
    runs: RunsOption = Path("runs"),
    yes_i_may: YesIMayOption = False,
    allow_exec: AllowExecOption = False,
    allow_exposed: AllowExposedOption = False,
    quiet: QuietOption = False,
) -> None:
    """Store runs that later ones are compared with: `brownout gate --baseline FILE`.

    At least five runs that can decide are needed, with different seeds. Exit code 3: experiments were played, and one
    of them has too few.
    """
    from chaos.cli.baseline import save_baseline
    from chaos.cli.gate.request import GateRequest

    request = GateRequest(
        experiments=tuple(what),
        stack=stack,
        gateway=gateway,
        target=target,
        seed=seed,
        scale=scale,
        repeat=repeat,
        tolerances=tuple(tolerance or ()),
        retries=retry_inconclusive or 0,
        may_leave_loopback=yes_i_may,
        allow_exec=allow_exec,
        allow_exposed=allow_exposed,
    )
    words = ["brownout", *sys.argv[1:]]
    raise typer.Exit(save_baseline(what, request=request, out=out, runs=runs, quiet=quiet, words=words))


@baseline_app.command("show")
def baseline_show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of baselines.")]) -> None:
    """Show what a file of baselines holds: means, spread between runs, accepted worsening."""
    from chaos.cli.baseline import show_baselines

    raise typer.Exit(show_baselines(file))
