"""The process that plays a gate: starts it, reads its output, and ends it gently if the caller wants no more of it."""

from __future__ import annotations

import codecs
import collections
import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from brownout.children import python_words
from brownout.errors import GateFailed, GateTimeout

__all__ = ["GRACE_S", "Ended", "play"]

GRACE_S: Final = 30.0
"""Seconds that a gate gets to revert its faults and to end, after SIGINT; it takes about 5. Then it is killed."""
_MORE_S: Final = 5.0
"""Beyond that: until its watcher is killed too, seconds."""
_LOOK_EVERY_S: Final = 0.2
_INTERRUPTED: Final = 130
"""Exit code of a gate that got SIGINT and reverted its faults."""
_LAST_LINES: Final = 20
_LINE_CHARACTERS: Final = 2000
_ERROR_LINES: Final = 200
_WATCHER: Final = str(Path(__file__).with_name("watcher.py"))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a gate ended. `last`: the last 20 lines of its output. `errors`: the last 200 of its standard error."""

    code: int
    last: str
    errors: str


def play(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    timeout_s: float | None = None,
    on_output: Callable[[str], None] | None = None,
    keep_open: Sequence[int] = (),
    folder: Path | None = None,
) -> Ended:
    """Run the command to its end. `on_output`: gets each line of its output, in the thread that called this.

    `keep_open`: file descriptors that stay open as long as the command runs, also where this process dies. If anything
    is raised here (Ctrl-C, an error of `on_output`, the timeout), the command gets SIGINT first, and this waits for
    its end. `folder`: of the gate's files, named where its faults may be left. Raises GateTimeout, and GateFailed if
    the command cannot be started.
    """
    began = time.monotonic()
    words = python_words("-I", "-S", _WATCHER, str(os.getpid()), str(GRACE_S), *command)
    try:
        # In a session of its own: Ctrl-C in a terminal reaches the caller only, and the gate gets one SIGINT from here.
        process = subprocess.Popen(
            words,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=keep_open,
        )
    except (OSError, ValueError) as error:
        raise GateFailed(f"the gate cannot be started: {error}") from error
    with contextlib.closing(_Output(process, on_output)) as output:
        try:
            while not output.read():
                if timeout_s is not None and time.monotonic() > began + timeout_s:
                    raise GateTimeout(f"the gate took longer than {timeout_s:g} s")
        except GateTimeout as late:
            _end(process, output)
            how = _how_ended(process.returncode, folder)
            raise GateTimeout(f"{late}: {how}. Its last output:\n{output.last}") from None
        except BaseException:
            _end(process, output)
            raise
        if process.returncode < 0:  # the watcher was killed; the gate has got SIGINT by that
            output.drain(GRACE_S)
    return Ended(process.returncode, output.last, output.errors)


def _how_ended(code: int, folder: Path | None) -> str:
    """What became of a gate that got SIGINT, and of its faults. `code`: the exit code of its watcher."""
    if code == _INTERRUPTED:
        return "it was ended, and its faults were reverted"
    how = f"it was killed by signal {code - 128}" if code > 128 else f"it ended with exit code {code}"
    if code < 0:
        how = "it was killed, and its watcher too"
    words = shlex.join(["brownout", "heal", str(folder)]) if folder is not None else "brownout heal"
    return f"{how}; a fault of its last run may be left. Revert it with: {words}"


def _end(process: subprocess.Popen[bytes], output: _Output) -> None:
    """Let the gate end. A second Ctrl-C meanwhile is passed on: it kills every process of the run at once."""
    output.silent = True
    deadline = time.monotonic() + GRACE_S + _MORE_S
    interrupted: KeyboardInterrupt | None = None
    process.send_signal(signal.SIGINT)
    while time.monotonic() < deadline:
        try:
            if output.read():
                break
        except KeyboardInterrupt as error:
            interrupted = error
            process.send_signal(signal.SIGINT)
    else:
        process.kill()
        process.wait()
        output.drain(_MORE_S)
    if interrupted is not None:
        raise interrupted


class _Output:
    """Both streams of a process, by line."""

    def __init__(self, process: subprocess.Popen[bytes], on_output: Callable[[str], None] | None) -> None:
        self.silent = False
        self._process = process
        self._on_output = on_output
        self._last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        self._errors: collections.deque[str] = collections.deque(maxlen=_ERROR_LINES)
        self._selector = selectors.DefaultSelector()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, _Lines(stream is process.stderr))

    @property
    def last(self) -> str:
        """The last lines of both streams."""
        return "\n".join(self._last)

    @property
    def errors(self) -> str:
        """The last lines of standard error."""
        return "\n".join(self._errors)

    def read(self) -> bool:
        """Wait a moment for output and take it. Returns whether the process has ended and all of its output is read."""
        if self._selector.get_map():
            self._take(_LOOK_EVERY_S)
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LOOK_EVERY_S)
        if self._process.poll() is None:
            return False
        while self._take(0):
            pass
        return True

    def drain(self, within_s: float) -> None:
        """Read until every process that has the streams is gone."""
        deadline = time.monotonic() + within_s
        while self._selector.get_map() and time.monotonic() < deadline:
            self._take(_LOOK_EVERY_S)

    def close(self) -> None:
        """Close the streams."""
        self._selector.close()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _take(self, within_s: float) -> bool:
        """Take what there is. Returns whether there was something."""
        found = self._selector.select(within_s) if self._selector.get_map() else []
        for key, _ in found:
            lines: _Lines = key.data
            try:
                data = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            if not data:
                self._selector.unregister(key.fileobj)
            for line in lines.feed(data):
                self._last.append(line)
                if lines.errors:
                    self._errors.append(line)
                if self._on_output is not None and not self.silent:
                    self._on_output(line)
        return bool(found)


class _Lines:
    """Turns the bytes of a stream into lines. `errors`: it is standard error."""

    def __init__(self, errors: bool) -> None:
        self.errors = errors
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now; b"" ends the last one. A longer line than 2,000 characters is cut."""
        text = self._pending + self._decoder.decode(data, final=not data)
        *lines, self._pending = text.split("\n")
        if (not data and self._pending) or len(self._pending) > _LINE_CHARACTERS:
            lines.append(self._pending)
            self._pending = ""
        return [line.rstrip("\r")[:_LINE_CHARACTERS] for line in lines]
