"""The lock of a run's folder: held by its runner and its shepherd while one of them lives.

A lock (flock(2)) on the folder itself. The shepherd inherits the runner's open file, so the kernel releases the lock
when both have exited, however they ended. `brownout heal` shares the lock, and locks the undo file for itself alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chaos.supervision.identity import read_stat
from reports.shared.errors import UserError

__all__ = ["Holder", "RunLocked", "going_on", "lock_folder", "locked", "who_holds"]

WAIT_S = 10.0
_POLL_S = 0.05


class Holder(NamedTuple):
    """A process that keeps the folder locked. `what`: `runner` or `shepherd`."""

    what: str
    pid: int
    stopped: bool
    same_user: bool = True


class RunLocked(UserError):
    """The run is still going on, or another `brownout heal` takes too long."""


def lock_folder(folder: Path, *, shared: bool = False) -> int | None:
    """Take the lock. Returns the open file that holds it, or None on a file system without locks.

    Raises BlockingIOError if another process holds it. Children do not inherit the file unless told to.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return _lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def _lock(descriptor: int, kind: int) -> int | None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def locked(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Heal within the block: no run is going on in the folder, and no other `heal` at work, for which it waits.

    Raises RunLocked while the run is going on, and where another `heal` takes longer than `wait_s`.
    """
    try:
        descriptor = lock_folder(folder, shared=True)
    except BlockingIOError:
        raise RunLocked(_going_on(folder, who_holds(folder))) from None
    except OSError as error:
        raise UserError(f"{folder} cannot be opened: {error.strerror}") from None
    alone: int | None = None
    try:
        shepherds = [holder for holder in who_holds(folder) if holder.what == "shepherd"]
        if shepherds:  # on a file system without locks
            raise RunLocked(_going_on(folder, shepherds))
        alone = _alone(folder, wait_s)
        yield
    finally:
        for held in (descriptor, alone):
            if held is not None:
                os.close(held)


def _alone(folder: Path, wait_s: float) -> int | None:
    """Lock the undo file, if there is one that can be opened."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            return _lock(os.open(folder / "undo.jsonl", flags), fcntl.LOCK_EX)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise RunLocked(
                    f"{folder}: another `brownout heal` has been at work for {wait_s:g} s: nothing was undone here. "
                    f"Try again later"
                ) from None
            time.sleep(_POLL_S)
        except OSError:  # reading it says what is wrong
            return None


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
                what = "shepherd" if is_shepherd else "runner"
                stat = read_stat(int(name))
                if stat is not None and stat.state not in "ZXx":
                    same_user = os.stat(f"/proc/{name}").st_uid == os.geteuid() or os.geteuid() == 0
                    found.append(Holder(what, stat.pid, stat.state in "Tt", same_user))
        except OSError:
            continue
    return found


def _has_open(pid: int, inode: os.stat_result) -> bool:
    """Whether a process has the folder open, with a lock for itself alone on it."""
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            file = os.stat(f"/proc/{pid}/fd/{number}")
            if (file.st_dev, file.st_ino) == (inode.st_dev, inode.st_ino):
                with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as info:
                    if re.search(r"FLOCK\s+\S+\s+WRITE", info.read()):
                        return True
    return False


def going_on(folder: Path) -> str:
    """The processes in which a run is going on, as words; "" if none is."""
    try:
        descriptor = lock_folder(folder, shared=True)
    except BlockingIOError:
        return _names(who_holds(folder))
    except OSError:  # whoever reads the folder says what is wrong
        return ""
    if descriptor is not None:
        os.close(descriptor)
    return ""


def _names(holders: list[Holder]) -> str:
    names = ", ".join(f"{h.what}: process {h.pid}{' (stopped)' if h.stopped else ''}" for h in holders)
    return names or "in a process of another user"


def _going_on(folder: Path, holders: list[Holder]) -> str:
    """That the run is going on, in which processes, and how to end it."""
    names = _names(holders)
    runner = next((holder for holder in holders if holder.what == "runner"), None)
    shepherd = next((holder for holder in holders if holder.what == "shepherd"), None)
    if runner is None and shepherd is not None and shepherd.stopped:
        how = f"let its shepherd end it by `kill -CONT {shepherd.pid}`, or end it by `kill -KILL {shepherd.pid}`"
    elif runner is None and shepherd is not None and shepherd.same_user:
        how = "its shepherd is ending it: wait until it has exited, then try again"
    elif runner is None:
        how = "press Ctrl-C there, or run `brownout heal` as the user who started it"
    elif runner.stopped:
        how = f"let it continue by `kill -CONT {runner.pid}`, or end it by `kill -KILL {runner.pid}`"
    else:
        how = f"press Ctrl-C there, or end it by `kill -INT {runner.pid}`"
    return (
        f"{folder}: the run is still going on ({names}), and undoes its faults itself: nothing was undone here. "
        f"To stop it: {how}"
    )
