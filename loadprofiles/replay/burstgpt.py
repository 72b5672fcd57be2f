"""Reader of BurstGPT (Wang et al., BurstGPT: A Real-World Workload Dataset, CC-BY 4.0).

CSV: `Timestamp` (s), `Request tokens`, `Response tokens`; optionally `Session ID` and `Elapsed time` (s). Rows with the
same session id are one session, in the order of the file; a row without one is a session of its own. A response of 0
tokens is a recorded failure of unknown length: it is left out and counted. Other columns are ignored.

The file is read as a stream. Memory: 28 bytes per call, and the session ids while reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadprofiles.replay.call_table import CallTable
from loadprofiles.replay.csv_rows import MAX_TOKENS, number, read_rows, tokens
from loadprofiles.replay.format import Format
from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import Recorded

__all__ = ["FORMAT", "read_burstgpt"]

_COLUMNS = ("Timestamp", "Request tokens", "Response tokens")
_OPTIONAL = ("Session ID", "Elapsed time")
_MAX_S = 1e11


def read_burstgpt(paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded:
    """See `loadprofiles.replay.format.Reader`."""
    mistakes = Mistakes()
    table = CallTable("session")
    failures = 0
    for path in paths:
        last: dict[str, int] = {}  # last call of each session of this file, by session id
        for line, (at, request, response, session, elapsed) in read_rows(path, _COLUMNS, _OPTIONAL, mistakes):
            at_s, input_tokens, output_tokens = number(at, _MAX_S), tokens(request), tokens(response)
            took_s = number(elapsed, _MAX_S) if elapsed else 0.0
            if at_s is None:
                mistakes.add(path, line, f"Timestamp must be a number of seconds, 0 or more: {_short(at)}")
            elif output_tokens is None:
                mistakes.add(path, line, f"Response tokens must be 0 to {MAX_TOKENS:,}: {_short(response)}")
            elif input_tokens is None or (input_tokens == 0 and output_tokens > 0):
                mistakes.add(path, line, f"Request tokens must be 1 to {MAX_TOKENS:,}: {_short(request)}")
            elif took_s is None:
                mistakes.add(path, line, f"Elapsed time must be a number of seconds, 0 or more: {_short(elapsed)}")
            elif output_tokens == 0:
                failures += 1
            else:
                row = table.add(
                    at_s, input_tokens, output_tokens, took_s=took_s, after=last.get(session) if session else None
                )
                if session:
                    last[session] = row
    notes = (f"{failures:,} recorded failures (a response of 0 tokens) were left out",) if failures else ()
    return table.recorded(paths, mistakes, skip_bad=skip_bad, notes=notes)


def _short(text: str | None) -> str:
    return repr((text or "")[:40])


FORMAT = Format(
    name="burstgpt",
    description="BurstGPT: CSV with Timestamp, Request tokens, Response tokens (Session ID, Elapsed time)",
    suffixes=(".csv",),
    signatures=(b"timestamp", b"request tokens", b"response tokens"),
    read=read_burstgpt,
    defaults={"rate": 10.0, "speed": 20.0, "shrink": 2.0},
)
