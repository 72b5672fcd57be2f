"""One test at a time plays on a machine: two at once would disturb each other's numbers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from brownout.errors import UsageError

__all__ = ["machine_lock"]

_HOLDER_BYTES: Final = 1000


@contextlib.contextmanager
def machine_lock(holder: str, say: Callable[[str], None], folder: Path | None = None) -> Iterator[int]:
    """Within the block, no other process of this user on this machine is in it. Yields the descriptor of the lock.

    `holder`: who plays, in words. `say`: gets a line that names the reason before this waits. A process that has
    the descriptor holds the lock, too, until the block ends. `folder`: of the file, by default the system's temporary
    folder. Raises UsageError where the file cannot be made.
    """
    path = (folder or Path(tempfile.gettempdir())) / f"brownout-plays-{os.getuid()}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be made ({error.strerror}). It keeps two tests from playing at the same time: "
            "let TMPDIR name a folder that can be written"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(descriptor, _HOLDER_BYTES, 0).decode("utf-8", "replace").strip()
            say(
                f"brownout: waiting for another test that plays on this machine ({other or 'not named'}): "
                "two at once would disturb each other's numbers"
            )
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, {holder}\n".encode()[:_HOLDER_BYTES], 0)
        yield descriptor
        # Also for a process that still has the descriptor: the gate has ended.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
