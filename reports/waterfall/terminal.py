"""`brownout trace RUN`: waterfalls of calls in the terminal, from 80 columns on, with and without colour.

For each call: the interruption that the client observed, the spans as bars on one axis with the faults shaded, and the
same in sentences.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from reports.history.evidence import Evidence, gather
from reports.record.reader import read_record
from reports.shared.errors import RecordError, UserError
from reports.shared.wording import value_text
from reports.waterfall.bars import Glyphs, draw
from reports.waterfall.calls import call_named, call_reports, failovers, slowest
from reports.waterfall.story import Waterfall, waterfall_of

__all__ = ["print_waterfalls"]

_STYLES: Final = {
    "sent": "",
    "decision": "cyan",
    "fault": "bold yellow",
    "failed": "bold red",
    "resumed": "bold green",
    "other": "",
    "end": "",
}
_WIDEST: Final = 160


def print_waterfalls(
    run_dir: Path, *, failover: bool, call: str | None, most: int, console: Console | None = None
) -> int:
    """Print the waterfalls of a run's calls; returns the exit code.

    `call`: the call of that name (SESSION/AGENT#TURN); `failover`: the calls that met a fault, the worst first; else
    the slowest calls. At most `most`. Raises UserError for an unknown call or a folder without a record.
    """
    console = console or Console(highlight=False)
    try:
        record = read_record(run_dir)
    except RecordError as error:
        raise UserError(str(error)) from None
    evidence = gather(record)
    if call is not None:
        chosen = [call_named(evidence, call)]
    elif failover:
        chosen = [*failovers(evidence, most)]
        if not chosen:
            console.print(Text(_why_none(evidence)))
            return 0
    else:
        chosen = slowest(evidence, most)
        if not chosen:
            console.print(Text("This record has no calls."))
            return 0
    console.print(Text(_title(evidence, failover=failover and call is None, shown=len(chosen), one=call is not None)))
    faults = [
        {"id": f.id, "kind": f.kind, "targets": f.targets, "stages": dict(f.stages), "traits": f.traits.recorded()}
        for f in evidence.record.faults
    ]
    for report in call_reports(evidence, chosen):
        _print(console, waterfall_of(report, faults))
    return 0


def _why_none(evidence: Evidence) -> str:
    """Why no call met a fault."""
    faults = evidence.record.faults
    if not faults:
        return "This run had no fault, so no call met one. `brownout trace RUN` shows the slowest calls."
    if all(fault.injected_s is None for fault in faults):
        return "No fault of this run was injected, so no call met one. `brownout trace RUN` shows the slowest calls."
    if not evidence.calls.sees_upstream:
        return "No gateway or replica span in this record shows where calls went: which calls met the fault is unknown."
    named = ", ".join(f"{fault.id} ({fault.kind})" for fault in faults)
    return f"No call met a fault of this run: {named} hit nothing. `brownout trace RUN` shows the slowest calls."


def _title(evidence: Evidence, *, failover: bool, shown: int, one: bool) -> str:
    name = evidence.record.name
    if one:
        return f"{name}: one call of {len(evidence.calls.calls):,}"
    if not failover:
        return f"{name}: the slowest {shown} of {len(evidence.calls.calls):,} calls"
    met = {encounter.call.key for impact in evidence.impacts for encounter in impact.encounters}
    interrupted = {e.call.key for impact in evidence.impacts for e in impact.encounters if e.interrupted}
    return (
        f"{name}: {len(met):,} of {len(evidence.calls.calls):,} calls met a fault, "
        f"{len(interrupted):,} were interrupted; the worst {shown}"
    )


def _print(console: Console, waterfall: Waterfall) -> None:
    width = min(console.width, _WIDEST)
    console.print()
    console.print(Text(waterfall.key, style="bold"))
    _wrapped(console, "  ", Text(waterfall.headline, style=_tone(waterfall)), width)
    _wrapped(console, "  ", Text(_interruption(waterfall), style="dim"), width)
    console.print()
    for line in draw(waterfall, width, Glyphs.for_encoding(console.encoding)):
        line.rstrip()
        console.print(line, no_wrap=True, overflow="crop", width=width)
    console.print()
    for moment in waterfall.story:
        _wrapped(console, f"{moment.at_s:9.3f} s  ", Text(moment.text, style=_STYLES[moment.kind]), width)
        for detail in moment.details:
            _wrapped(console, " " * 13, Text(detail, style="dim"), width)


def _wrapped(console: Console, head: str, text: Text, width: int) -> None:
    """Print `text` after `head`, wrapped, with the following lines indented by the width of `head`."""
    for number, part in enumerate(text.wrap(console, max(20, width - len(head)))):
        part.rstrip()
        console.print(Text(head if number == 0 else " " * len(head), style="dim").append(part))


def _tone(waterfall: Waterfall) -> str:
    if waterfall.failover_s is None:
        return ""
    return "red" if math.isinf(waterfall.failover_s) or waterfall.outcome != "ok" else "green"


def _interruption(waterfall: Waterfall) -> str:
    parts = []
    if waterfall.failover_s is not None:
        parts.append(f"failover {value_text(waterfall.failover_s, 's')}")
    if waterfall.tokens_before is not None:
        after = "" if waterfall.tokens_after is None else f", after it {waterfall.tokens_after:,}"
        parts.append(f"tokens before it {waterfall.tokens_before:,}{after}")
    if waterfall.max_gap_s is not None:
        parts.append(f"longest gap between tokens {value_text(waterfall.max_gap_s, 's')}")
    return "; ".join(parts) or "the client received no token"
