"""`brownout history`: the runs below folders over time, and where the level of a measure changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console, shell_path
from chaos.cli.verdict import MARK, VERDICT_STYLE
from reports.shared.errors import UserError
from reports.shared.wording import value_text
from reports.trend.history import history
from reports.trend.words import (
    count_text,
    doubt_text,
    history_facts,
    runs_text,
    short_time,
    since_text,
    skipped_text,
    spark,
    state_text,
    step_text,
    verdicts_text,
)

__all__ = ["history_renderable", "print_history"]

_SLOW_S: Final = 3.0
_DIRECTION_STYLE: Final = {"worse": "bold red", "better": "bold green", "changed": "bold"}
_SKIPPED_SHOWN: Final = 5
_BARS: Final = 30
"""Most bars of a line: a row of the table then fits into 80 columns."""


def print_history(
    folders: Sequence[Path], *, measures: Sequence[str], last: int, out: Path | None, as_json: bool
) -> int:
    """Print the history of the runs below these folders; with `out`, write it into this folder as well.

    Returns exit code 0, whatever changed. `measures`: names, instead of the usual ones. `last`: how many of the newest
    runs of each series are listed. Raises UserError for a folder without a run, a measure that no run has, and an `out`
    that cannot be written.
    """
    began = time.monotonic()
    data = history(folders, measures=measures)
    took_s = time.monotonic() - began
    written = _write(data, out, last) if out is not None else []
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(data), indent=1).decode())
        return 0
    console = open_console()
    console.print(history_renderable(data, last=last))
    if took_s > _SLOW_S:
        console.print(Text(f"read {data['runs']:,} reports in {took_s:.1f} s", style="dim"))
    _print_paths(console, written)
    return 0


def _write(data: Mapping[str, Any], out: Path, last: int) -> list[Path]:
    from reports.writers.history import write_history

    try:
        out.mkdir(parents=True, exist_ok=True)
        return write_history(data, out, last=last)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror}). Name another folder") from error


def _print_paths(console: Console, written: Sequence[Path]) -> None:
    for path in written:
        if path.suffix == ".html":
            console.print(Text(f"history: {shell_path(path)}", style="dim"))


def history_renderable(data: Mapping[str, Any], *, last: int) -> RenderableType:
    """The history for a terminal. `last`: how many of the newest runs of each series are listed."""
    parts: list[RenderableType] = [Text(history_facts(data)), Text(state_text(data), style="bold")]
    if data["skipped"]:
        parts.append(Text(skipped_text(data), style="yellow"))
        parts += [Text(f"  {one['path']}: {one['why']}", style="yellow") for one in data["skipped"][:_SKIPPED_SHOWN]]
        if len(data["skipped"]) > _SKIPPED_SHOWN:
            parts.append(Text("  all are in the JSON: --json", style="yellow"))
    for series in data["series"]:
        parts += [Text(), *_series(series, last)]
    return Group(*parts)


def _series(series: Mapping[str, Any], last: int) -> list[RenderableType]:
    runs = series["runs"]
    machine = f", {series['machine']}" if series["machine"] else ""
    parts: list[RenderableType] = [
        Text.assemble((series["label"], "bold"), machine),
        Text(f"{count_text(len(runs))}: {verdicts_text([run['verdict'] for run in runs])}"),
    ]
    if series["apart"]:
        parts.append(Text(f"a series of its own: {series['apart']}", style="dim"))
    parts += [Text(f"note: {note}", style="yellow") for note in series["notes"]]
    shown_changes = [one for one in series["changes"] if one["until"] is None or one["run"] >= len(runs) - last]
    for change in reversed(shown_changes):
        parts += _change(change)
    if older := len(series["changes"]) - len(shown_changes):
        parts.append(Text(f"{older} older changes did not last; --out writes a page with all", style="dim"))
    if series["tested"] and not series["changes"]:
        parts.append(Text("no measure changed by more than chance"))
    shown = min(last, _BARS, len(runs))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("measure", overflow="fold", max_width=30)
    table.add_column("newest", justify="right", no_wrap=True)
    table.add_column(f"last {count_text(shown)}", no_wrap=True)
    for line in series["lines"]:
        newest = line["values"][-1]
        now = "-" if newest is None else value_text(newest, line["unit"])
        bars = spark(line["values"], line["counts"], line["changes"], last=shown)
        table.add_row(Text(line["name"], style="bold" if line["changes"] else ""), now, Text(bars))
    return [*parts, *([table] if series["lines"] else []), _runs(runs[-last:])]


def _change(change: Mapping[str, Any]) -> list[Text]:
    direction = change["direction"]
    versions = "".join(f"; {name} {old} -> {new}" for name, (old, new) in change["versions"].items())
    indent = " " * 9
    return [
        Text.assemble((f"{direction:9}", _DIRECTION_STYLE[direction]), f"{change['name']}: {step_text(change)}"),
        Text(f"{indent}{since_text(change)}: {runs_text(change)}{versions}", style="dim"),
        Text(f"{indent}{shell_path(change['folder'])}", style="dim"),
    ]


def _runs(runs: Sequence[Mapping[str, Any]]) -> Table:
    """The newest runs, the newest first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("start (UTC)", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("run", overflow="fold")
    for run in reversed(runs):
        verdict = run["verdict"]
        style = VERDICT_STYLE.get(verdict, "bold red")
        doubt = doubt_text(run)
        table.add_row(
            short_time(run["started_at"]),
            Text(f"{MARK.get(verdict, '!')} {verdict}", style=style),
            Text.assemble(run["folder"], (f" ({doubt})" if doubt else "", "yellow")),
        )
    return table
