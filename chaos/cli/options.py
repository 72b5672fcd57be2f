"""The options that several commands have, as typer reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = [
    "AllowExecOption",
    "AllowExposedOption",
    "AtOption",
    "ExperimentArgument",
    "FormatOption",
    "GatewayOption",
    "GatewaysOption",
    "JsonOption",
    "LimitOption",
    "MaxCallsOption",
    "MaxPauseOption",
    "QuietOption",
    "RateOption",
    "Ratio",
    "RetryOption",
    "RunsOption",
    "ScaleOption",
    "SeedOption",
    "SeedsOption",
    "ShortOption",
    "ShrinkOption",
    "SkipBadOption",
    "SpeedOption",
    "SpreadOption",
    "StackOption",
    "StacksOption",
    "StreamingOption",
    "TargetOption",
    "TraceOption",
    "YesIMayOption",
]

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
AllowExposedOption = Annotated[
    bool,
    typer.Option("--allow-exposed", help="The gateway may listen where other machines reach it; else it is ended."),
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
ShortOption = Annotated[bool, typer.Option("--short", help="Smoke run of 8 seconds; too short for most gates.")]
RetryOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--retry-inconclusive",
        metavar="N",
        min=1,
        max=10,
        help="Play a run again that this machine was too busy to decide, at most N times. Keeps every run.",
    ),
]
YesIMayOption = Annotated[
    bool, typer.Option("--yes-i-may", help="I have permission to put load on the `target: {url: ...}`.")
]
AllowExecOption = Annotated[bool, typer.Option("--allow-exec", help="Run the commands of exec faults on this machine.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress, only the verdict.")]
