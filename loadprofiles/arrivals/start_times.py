"""Reads files of recorded start times: one per line, or a column of a CSV file. Reports every mistake with its line.

    0.0                     Timestamp,Model             TIMESTAMP,ContextTokens
    0.35                    5,ChatGPT                   2023-11-16 18:17:03.979,374
    2.1                     45,GPT-4                    2023-11-16 18:17:04.031,396

Numbers are seconds since the load's start; dates are counted from the first one. Empty lines and lines that begin with
# are skipped.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from reports.shared.errors import InvalidFile, Problem, did_you_mean

__all__ = ["read_start_times"]

MAX_TIMES: Final = 1_000_000
_MAX_PROBLEMS: Final = 20


def read_start_times(path: Path, column: str | None = None) -> list[float]:
    """The start times in a file, in seconds, ascending. `column`: of a CSV file with a header; by default the first.

    Raises `InvalidFile` with every mistake: an unreadable file, an invalid time, a time before the one above it.
    """
    name = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidFile([Problem(name, 0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise InvalidFile([Problem(name, 0, "is not UTF-8 text", "save the file as UTF-8")]) from None
    problems: list[Problem] = []
    times: list[float] = []
    first_date: datetime | None = None
    for line, cell in _cells(name, text, column):
        at = _time(cell)
        if isinstance(at, datetime):
            first_date = first_date or at
            at = (at - first_date).total_seconds()
        if at is None:
            remedy = "write seconds, for example 12.5, or a date, for example 2023-11-16 18:17:03"
            problems.append(Problem(name, line, f'"{cell}" is not a time', remedy))
        elif times and at < times[-1]:
            problems.append(Problem(name, line, f"{cell} is before the time above it", "sort the file by time"))
        elif at < 0:
            problems.append(Problem(name, line, f"{cell} is before the load's start", "count from 0"))
        else:
            times.append(at)
        if len(problems) >= _MAX_PROBLEMS:
            break
        if len(times) > MAX_TIMES:
            problems.append(Problem(name, line, f"has more than {MAX_TIMES:,} start times", "shorten the file"))
            break
    if not times and not problems:
        problems.append(Problem(name, 0, "has no start times", "write one start time per line"))
    if problems:
        raise InvalidFile(problems)
    return times


def _cells(name: str, text: str, column: str | None) -> Iterator[tuple[int, str]]:
    """Yields (line number, text of the time) of each row."""
    place: int | None = None
    rows = csv.reader(text.splitlines())
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InvalidFile([Problem(name, rows.line_num, f"is not CSV: {error}")]) from None
        if row is None:
            return
        if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
            continue
        if place is None:
            heads = [cell.strip() for cell in row]
            if column is not None:
                if column not in heads:
                    what = f'has no column "{column}"'
                    raise InvalidFile([Problem(name, rows.line_num, what, did_you_mean(column, heads))])
                place = heads.index(column)
                continue
            place = 0
            if len(heads) > 1 and _time(heads[0]) is None:
                continue
        yield rows.line_num, row[place].strip() if place < len(row) else ""


def _time(cell: str) -> float | datetime | None:
    try:
        seconds = float(cell)
    except ValueError:
        pass
    else:
        return seconds if math.isfinite(seconds) else None
    try:
        date = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
