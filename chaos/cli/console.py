"""The console of every command: it shows text from files and servers safely, and does not wrap in a log.

On a terminal, lines are wrapped at its width. Elsewhere (a pipe, the log of a CI system) they are not wrapped, so that
they can be searched and paths can be copied; the variable COLUMNS sets another width.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from reports.shared.plain_text import printable

__all__ = ["SafeConsole", "error_line", "open_console", "shell_path"]

_LOG_WIDTH = 1000
"""Characters of a line that is not on a terminal. Longer ones are wrapped."""


class SafeConsole(Console):
    """A console that sends no control characters from the text that it shows. Its own (colours) are sent."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See `rich.console.Console.render`."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def open_console(file: IO[str] | None = None, **options: Any) -> Console:
    """The console on standard output, or on `file`. No text is taken for markup or highlighted."""
    console = SafeConsole(file=file, highlight=False, markup=False, emoji=False, **options)
    if not console.is_terminal and "width" not in options and "COLUMNS" not in os.environ:
        console.width = _LOG_WIDTH
    return console


def error_line(message: object) -> None:
    """Prints an error of the user or the tool on standard error."""
    print(printable(f"brownout: {message}"), file=sys.stderr)


def shell_path(path: Path | str) -> str:
    """The path, quoted if a shell would not take it as it is."""
    return shlex.quote(str(path))
