"""Rows of a CSV file with a header line: the values of named columns, and parsing of their numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Final

from loadprofiles.replay.lines import read_lines
from loadprofiles.replay.mistakes import Mistakes

__all__ = ["MAX_TOKENS", "Row", "number", "read_rows", "tokens"]

MAX_TOKENS: Final = 10_000_000
"""Upper bound of the tokens of one call: the longest contexts that providers offer."""

_LONGEST_NUMBER: Final = 40  # characters

Row = Sequence[str | None]
"""The values of the requested columns in their order; None for an optional column that the file lacks."""


def read_rows(
    path: Path, needed: Sequence[str], optional: Sequence[str], mistakes: Mistakes
) -> Iterator[tuple[int, Row]]:
    """Yields (line number, values of `needed` and `optional`) of each row. Column names match in any case and order.

    Adds missing columns, and rows whose length differs from the header's, to `mistakes`.
    """
    lines = read_lines(path, mistakes)
    header = next(lines, None)
    if header is None:
        mistakes.add(path, 0, "is empty", f"its first line must name the columns {', '.join(needed)}")
        return
    line, text = header
    columns = [_key(name) for name in _split(text) or ()]
    missing = [name for name in needed if _key(name) not in columns]
    if missing:
        seen = ", ".join(columns)[:200]
        what = f'there is no column "{missing[0]}"; the columns are: {seen}'
        mistakes.add(path, line, what, f"the first line must name {', '.join(needed)}")
        return
    places = [columns.index(_key(name)) if _key(name) in columns else None for name in (*needed, *optional)]
    for line, text in lines:
        values = text.split(",") if '"' not in text else _split(text)
        if values is None:
            mistakes.add(path, line, "is not a CSV row")
        elif len(values) != len(columns):
            mistakes.add(path, line, f"has {len(values)} values, but the header has {len(columns)} columns")
        else:
            yield line, [None if at is None else values[at].strip() for at in places]


def number(text: str | None, at_most: float) -> float | None:
    """Parses a number from 0 to `at_most`; None for any other text."""
    if text is None or len(text) > _LONGEST_NUMBER or not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and 0 <= value <= at_most else None


def tokens(text: str | None) -> int | None:
    """Parses a whole number of tokens, at most `MAX_TOKENS`; None for any other text. 12.0 counts as whole."""
    value = number(text, MAX_TOKENS)
    return int(value) if value is not None and value.is_integer() else None


def _key(name: str) -> str:
    return name.strip().casefold()


def _split(text: str) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None
