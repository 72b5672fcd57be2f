"""Standard output and standard error that hold up no run: where nobody reads, a run goes on or ends as it would."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import select
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO, cast

from reports.shared.errors import BrownoutError

__all__ = ["LastingOutput", "OutputError", "lasting_output", "nonblocking_output"]

IMPATIENT_S: Final = 0.2
"""How long a run waits for a terminal or a pipe that takes nothing, seconds, before it drops text."""
_NOBODY_READS: Final = frozenset({errno.EPIPE, errno.EIO, errno.ENXIO, errno.EBADF})
_BUFFERED: Final = 8192
_READABLE: Final = "brownout-readable"
"""Error handler: how characters are written that the encoding of the output does not have."""
_SUBSTITUTES: Final = str.maketrans("✓✗■·…░▒▓█◆×−–—‘’“”", "+x#.~:%@#*x---''\"\"")
"""None is `?`, which is the mark of a gate that is inconclusive."""
_AT_ONCE: Final = select.PIPE_BUF
"""Bytes that a pipe takes without waiting when it is ready."""


class OutputError(BrownoutError):
    """The output cannot be written, although somebody may read it: a file on a full disk."""


class LastingOutput:
    """A text file for output that nobody may read any more: a closed terminal, a pipe whose reader has ended.

    What is written then is discarded. A terminal that is stopped (Ctrl-S) and a pipe that is full are waited for,
    `patience_s` seconds at most: None waits as long as it takes, and else the text is dropped. Apart from that, it
    behaves like `file`. With patience None and `needed`, it raises OutputError where the text cannot be written for
    another reason. Characters that the file's encoding does not have are replaced, never an error.
    """

    def __init__(self, file: TextIO, *, needed: bool = True) -> None:
        self.patience_s: float | None = None
        self._file = file
        self._needed = needed
        self._pending = bytearray()
        self._stalled = False
        self._by_line = file.isatty() or not needed
        self._descriptor: int | None = None
        with contextlib.suppress(OSError, ValueError):  # a file in memory: none of this applies
            self._descriptor = file.fileno()
        self._never_waits: int | None = None
        """The same terminal or pipe, opened again: its writes return at once where it is full."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write; see the class."""
        if self._descriptor is None:
            return self._file.write(text)
        self._pending += text.encode(self._file.encoding or "utf-8", _READABLE)
        if len(self._pending) >= _BUFFERED or (self._by_line and "\n" in text):
            self.flush()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is buffered; see the class."""
        if self._descriptor is None:
            self._file.flush()
            return
        data, self._pending = self._pending, bytearray()
        if data:
            self._send(self._descriptor, data)

    def _send(self, descriptor: int, data: bytearray) -> None:
        left = memoryview(data)
        while left and self._ready(descriptor):
            try:
                left = left[os.write(self._write_to(descriptor), left[:_AT_ONCE]) :]
            except BlockingIOError:  # ready, but for less than this: a line feed needs two bytes of a terminal
                if self.patience_s is not None:
                    self._stalled = True
                    return
                time.sleep(0.001)
            except OSError as error:
                if error.errno in _NOBODY_READS:
                    self._discard(descriptor)
                elif self._needed and self.patience_s is None:
                    raise OutputError(f"the output cannot be written: {error.strerror}") from None
                return

    def _write_to(self, descriptor: int) -> int:
        """The descriptor to write to: a terminal that is ready may have room for one byte, and wait for the rest."""
        if self.patience_s is None:
            return descriptor
        if self._never_waits is None:
            self._never_waits = _opened_again(descriptor)
        return self._never_waits

    def _ready(self, descriptor: int) -> bool:
        """Wait until it takes something. False: it took nothing for too long."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if self.patience_s is None:
            self._stalled = False
            poll.poll()
            return True
        wait_s = 0.0 if self._stalled else self.patience_s
        self._stalled = not poll.poll(wait_s * 1000)
        return not self._stalled

    def _discard(self, descriptor: int) -> None:
        """From now on, the file descriptor leads to /dev/null: also for what others write to it."""
        self.close_again()
        self._never_waits = descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)

    def close_again(self) -> None:
        """Close what was opened again, if it was."""
        if self._never_waits is not None and self._never_waits != self._descriptor:
            os.close(self._never_waits)
        self._never_waits = None


def _substitutes(error: UnicodeError) -> tuple[str, int]:
    """Similar characters of ASCII, each as wide as the one that it stands for; `\\u2500` where there is none."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(_SUBSTITUTES)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


codecs.register_error(_READABLE, _substitutes)


def _opened_again(descriptor: int) -> int:
    """The same terminal or pipe, with an open file description of its own that does not block; else `descriptor`.

    O_NONBLOCK on the first one would hold for every process that shares it, such as the shell of the user.
    """
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            return os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:  # also a pipe whose reader has ended: writing says so
        pass
    return descriptor


@contextlib.contextmanager
def lasting_output() -> Iterator[None]:
    """Within the block, this process goes on when nobody reads its standard output or standard error any more.

    Descriptors that were closed at the start lead to /dev/null, also after the block: no other file gets their numbers.
    """
    _open_closed_descriptors()
    out, err = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115 - until the exit
    with contextlib.suppress(OSError):
        out.flush()
    lasting = LastingOutput(out), LastingOutput(err, needed=False)
    sys.stdout, sys.stderr = (cast(TextIO, one) for one in lasting)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        try:
            for one in lasting:
                one.flush()
                one.close_again()
        except OutputError as error:
            with contextlib.suppress(OSError):
                print(f"brownout: {error}", file=err, flush=True)
            sys.exit(5)
        except KeyboardInterrupt:
            sys.exit(130)


def _open_closed_descriptors() -> None:
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one


@contextlib.contextmanager
def nonblocking_output() -> Iterator[None]:
    """Within the block, text is dropped where a terminal is stopped (Ctrl-S) or a pipe is full: no event loop waits."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, LastingOutput)]
    before = [stream.patience_s for stream in streams]
    for stream in streams:
        stream.patience_s = IMPATIENT_S
    try:
        yield
    finally:
        for stream, patience_s in zip(streams, before, strict=True):
            stream.patience_s = patience_s
