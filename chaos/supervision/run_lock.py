"""The lock of a run's folder: held by its runner and its shepherd while one of them lives, and by `brownout heal`.

A lock (flock(2)) on the folder itself. The shepherd inherits the runner's open file, so the kernel releases the lock
when both have exited, however they ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chaos.supervision.identity import read_stat
from reports.shared.errors import UserError

__all__ = ["Holder", "RunLocked", "lock_folder", "locked", "who_holds"]

WAIT_S = 10.0
_POLL_S = 0.05


class Holder(NamedTuple):
    """A process that keeps the folder locked. `what`: `runner`, `shepherd` or `heal`."""

    what: str
    pid: int
    stopped: bool


class RunLocked(UserError):
    """The folder is locked: the run is still going on, or another `brownout heal` takes too long."""


def lock_folder(folder: Path) -> int | None:
    """Take the lock. Returns the open file that holds it, or None on a file system without locks.

    Raises BlockingIOError if another process holds it. Children do not inherit the file unless told to.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def locked(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock within the block. Waits for another `heal`; raises RunLocked at once while the run is going on."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            descriptor = lock_folder(folder)
            break
        except BlockingIOError:
            holders = who_holds(folder)
            healing = [holder for holder in holders if holder.what == "heal"]
            if (holders and not healing) or time.monotonic() >= deadline:
                raise RunLocked(_refusal(folder, holders)) from None
            time.sleep(_POLL_S)
        except OSError as error:
            raise UserError(f"{folder} cannot be opened: {error.strerror}") from None
    try:
        shepherds = [holder for holder in who_holds(folder) if holder.what == "shepherd"]
        if shepherds:  # on a file system without locks
            raise RunLocked(_refusal(folder, shepherds))
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def who_holds(folder: Path) -> list[Holder]:
    """The processes that hold the folder's lock, as far as /proc shows them to this user."""
    found = []
    undo, inode = str(folder.resolve() / "undo.jsonl").encode(), os.stat(folder)
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            is_shepherd = b"chaos.supervision.shepherd" in words and undo in words
            if is_shepherd or _has_open(int(name), inode):
                what = "shepherd" if is_shepherd else "heal" if b"heal" in words and b"run" not in words else "runner"
                stat = read_stat(int(name))
                if stat is not None and stat.state not in "ZXx":
                    found.append(Holder(what, stat.pid, stat.state in "Tt"))
        except OSError:
            continue
    return found


def _has_open(pid: int, inode: os.stat_result) -> bool:
    """Whether a process has the folder open, with a lock on it."""
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            file = os.stat(f"/proc/{pid}/fd/{number}")
            if (file.st_dev, file.st_ino) == (inode.st_dev, inode.st_ino):
                with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as info:
                    if "FLOCK" in info.read():
                        return True
    return False


def _refusal(folder: Path, holders: list[Holder]) -> str:
    """What keeps the folder locked, and how to end it."""
    if not holders:
        return f"{folder}: another process has locked it (another user's run?): nothing was undone. Try again later"
    names = ", ".join(f"{h.what}: process {h.pid}{' (stopped)' if h.stopped else ''}" for h in holders)
    if any(holder.what == "heal" for holder in holders):
        return f"{folder}: another `brownout heal` is at work ({names}): nothing was undone here. Try again later"
    runner = next((holder for holder in holders if holder.what == "runner"), None)
    if runner is None:
        how = "its shepherd is ending it: wait until it has exited, then try again"
    elif runner.stopped:
        how = f"let it continue by `kill -CONT {runner.pid}`, or end it by `kill -KILL {runner.pid}`"
    else:
        how = f"press Ctrl-C there, or end it by `kill -INT {runner.pid}`"
    return (
        f"{folder}: the run is still going on ({names}), and undoes its faults itself: nothing was undone here. "
        f"To stop it: {how}"
    )
