"""The lines of a text file, one at a time, in bounded memory for any content."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from loadprofiles.replay.mistakes import Mistakes

__all__ = ["MAX_LINE_BYTES", "read_lines"]

MAX_LINE_BYTES: Final = 4 << 20
"""Longer lines are mistakes. About 40 times TraceLab's longest line, which is the longest of all formats."""


def read_lines(path: Path, mistakes: Mistakes) -> Iterator[tuple[int, str]]:
    """Yields (line number from 1, text) of each line that is not blank, stripped and without a byte order mark.

    Adds lines that are too long or not UTF-8, and a file that cannot be read, to `mistakes` and skips them.
    """
    try:
        with path.open("rb") as file:
            yield from _lines(path, file, mistakes)
    except OSError as error:
        mistakes.add(path, 0, f"cannot be read: {error.strerror}")


def _lines(path: Path, file: BinaryIO, mistakes: Mistakes) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MAX_LINE_BYTES)
            mistakes.add(path, number, f"the line is longer than {MAX_LINE_BYTES >> 20} MiB")
            continue
        if number == 1:
            raw = raw.removeprefix(BOM_UTF8)
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            mistakes.add(path, number, f"is not UTF-8 text (byte {error.start + 1} of the line)")
            continue
        if text:
            yield number, text
