"""Text from elsewhere, made safe for Markdown on GitHub and GitLab: it shows as it is, and does nothing.

It cannot end a table, a code span or a block, make HTML, a link, an image or a formula, notify a person (`@name`) or
refer to an issue (`#12`). Where only a character between others prevents that, it is a zero-width space (U+200B).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Final

from reports.shared.plain_text import printable, printable_line

__all__ = ["code", "details", "html_text", "prose", "shell_block", "table"]

_GAP: Final = "\u200b"
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", "|": "&#124;", "\\": "&#92;"}
"""By entity, not by backslash: readers disagree on a backslash before a pipe in a table."""
_ESCAPED: Final = re.compile(r"[`*\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_AT_START: Final = re.compile(r"^(?:>|:(?=:)|#(?=[# ]|$)|[+-](?= |$)|-(?=-)|=(?==)|\d+(?=[.)](?: |$)))")
"""What would begin a heading, a list, a quotation or, in a log of GitHub, a workflow command."""
_ACTIVE: Final = re.compile(r"(@)|([#!])(?=\d)|(\bGH-)(?=\d)|(:)(?=//)|(\bwww)(?=\.)", re.IGNORECASE)
_CODED: Final = re.compile(r"[^A-Za-z0-9 ]")
_TICKS: Final = re.compile("`+")
_TABLE_BYTES: Final = 8_000
"""A table that would be longer has fewer rows and a line that says how many are missing."""
_COMMAND_CHARACTERS: Final = 2_000
"""A command is not cut: it would be another command."""


def prose(text: str, limit: int = 400) -> str:
    """`text` on one line, at most `limit` characters of it, for a paragraph, a list or a cell of a table."""
    line = _inactive(_cut(text, limit))
    line = "".join(_ENTITIES.get(character, character) for character in line)
    line = _ESCAPED.sub(lambda found: f"\\{found[0]}", line)
    return _AT_START.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", line)


def code(text: str, limit: int = 160) -> str:
    """`text` on one line as code, also in a cell of a table; `-` for an empty text."""
    line = _cut(text, limit)
    if not line:
        return "-"
    if "|" in line or "\\" in line:
        return f"<code>{_CODED.sub(lambda found: f'&#{ord(found[0])};', line)}</code>"
    fence = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def html_text(text: str, limit: int = 160) -> str:
    """`text` on one line for the inside of an HTML element, where Markdown is not read: `<summary>`."""
    return html.escape(_inactive(_cut(text, limit)), quote=False)


def shell_block(commands: Sequence[str], *, most: int | None = _COMMAND_CHARACTERS) -> str:
    """Commands as a block that can be copied.

    One of more than `most` characters is left out, and a comment says so; None: all are shown.
    """
    shown = [printable(command) for command in commands if most is None or len(command) <= most]
    missing = len(commands) - len(shown)
    if missing:
        shown.append(f"# {missing} {'command is' if missing == 1 else 'commands are'} too long to show: see gate.json")
    text = "\n".join(shown)
    fence = "`" * max(3, max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    return f"{fence}sh\n{text}\n{fence}"


def details(summary: str, body: str) -> str:
    """A part that is closed until the reader opens it. `summary`: HTML, see `html_text`. `body`: Markdown."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, most_bytes: int | None = _TABLE_BYTES) -> str:
    """A table, whole rows only, at most about `most_bytes`; None: all rows. All cells are safe already."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    size = sum(len(line.encode()) for line in lines)
    shown = 0
    for row in rows:
        line = f"| {' | '.join(row)} |"
        size += len(line.encode()) + 1
        if most_bytes is not None and size > most_bytes:
            break
        lines.append(line)
        shown += 1
    if missing := len(rows) - shown:
        lines += ["", f"{missing:,} more {'row is' if missing == 1 else 'rows are'} in `gate.json`."]
    return "\n".join(lines)


def _cut(text: str, limit: int) -> str:
    line = printable_line(text[: limit * 4])  # white space may make it shorter
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1].rstrip() + "…"


def _inactive(line: str) -> str:
    return _ACTIVE.sub(lambda found: f"{found[0]}{_GAP}", line)
