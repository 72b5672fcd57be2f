"""Reader of Azure's LLM inference traces (AzurePublicDataset, CC-BY 4.0; Patel et al., Splitwise, ISCA 2024).

CSV: `TIMESTAMP` (date and time with up to 7 fractional digits; UTC if it has no zone), `ContextTokens`,
`GeneratedTokens`. Each row is a session of one call: the trace does not group calls into sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from loadprofiles.replay.call_table import CallTable
from loadprofiles.replay.csv_rows import MAX_TOKENS, read_rows, tokens
from loadprofiles.replay.format import Format
from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import Recorded

__all__ = ["FORMAT", "read_azure"]

_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


def read_azure(paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded:
    """See `loadprofiles.replay.format.Reader`."""
    mistakes = Mistakes()
    table = CallTable("row")
    for path in paths:
        for line, (at, context, generated) in read_rows(path, _COLUMNS, (), mistakes):
            at_s, input_tokens, output_tokens = _seconds(at or ""), tokens(context), tokens(generated)
            if at_s is None:
                mistakes.add(path, line, f"TIMESTAMP is not a time like 2023-11-16 18:17:03.9799600: {_short(at)}")
            elif not input_tokens:
                mistakes.add(path, line, f"ContextTokens must be a number of 1 to {MAX_TOKENS:,}: {_short(context)}")
            elif output_tokens is None:
                mistakes.add(path, line, f"GeneratedTokens must be 0 to {MAX_TOKENS:,}: {_short(generated)}")
            else:
                table.add(at_s, input_tokens, output_tokens)
    return table.recorded(paths, mistakes, skip_bad=skip_bad)


def _seconds(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _short(text: str | None) -> str:
    return repr((text or "")[:40])


FORMAT = Format(
    name="azure",
    description="Azure's LLM inference traces: CSV with TIMESTAMP, ContextTokens, GeneratedTokens",
    suffixes=(".csv",),
    signatures=(b"timestamp", b"contexttokens", b"generatedtokens"),
    read=read_azure,
    defaults={"rate": 10.0, "speed": 4.0, "shrink": 1.0},
)
