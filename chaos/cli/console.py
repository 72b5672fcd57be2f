"""The console of every command: it shows text from files and servers safely, and does not wrap in a log.

On a terminal, lines are wrapped at its width. Elsewhere (a pipe, the log of a CI system) they are not wrapped, so that
they can be searched and paths can be copied; the variable COLUMNS sets another width.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from reports.shared.plain_text import printable

__all__ = ["LastingOutput", "SafeConsole", "error_line", "lasting_output", "open_console", "shell_path"]

_LOG_WIDTH = 1000
"""Characters of a line that is not on a terminal. Longer ones are wrapped."""


class LastingOutput:
    """A text file for output that nobody may read any more: a closed terminal, a pipe whose reader has ended.

    What is written then is discarded, so that a run goes on or ends as it would. Else it behaves like `file`.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write, or discard where nobody reads."""
        try:
            return self._file.write(text)
        except OSError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        """Flush, or discard where nobody reads."""
        try:
            self._file.flush()
        except OSError:
            self._discard()

    def _discard(self) -> None:
        """From now on, the file descriptor leads to /dev/null: also for what is buffered, at the exit of Python."""
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def lasting_output() -> Iterator[None]:
    """Within the block, this process goes on when nobody reads its standard output or standard error any more."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, LastingOutput(out)), cast(TextIO, LastingOutput(err))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # closed by somebody else
            sys.stdout.flush()
        sys.stdout, sys.stderr = out, err


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
