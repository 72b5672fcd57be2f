"""Who a process is, so that a signal never reaches another that came by the same number.

A pid is reused once its process is reaped. Pid, start time and boot id together are not: `send_signal` opens a pidfd
first, compares after, and signals through the pidfd, so that nothing can change in between (pidfd_open(2)).
Only the standard library: the shepherd stands on this.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any, NamedTuple

__all__ = [
    "Identity",
    "Stat",
    "Stranger",
    "boot_id",
    "descendants",
    "group_members",
    "identify",
    "read_stat",
    "run_members",
    "send_signal",
    "signal_group",
    "state_of",
]


class Stranger(Exception):
    """The pid belongs to another process than the one named, or to none."""


class Identity(NamedTuple):
    """A process, unmistakably. `start_time` is in clock ticks since boot (proc_pid_stat(5), field 22)."""

    pid: int
    start_time: int
    boot_id: str

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Identity:
        """From a record with `pid`, `start_time` and `boot_id`. Raises ValueError where one is missing or no number."""
        try:
            return cls(int(record["pid"]), int(record["start_time"]), str(record["boot_id"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no process is named by {record}: needs pid, start_time and boot_id") from error


class Stat(NamedTuple):
    """What `/proc/PID/stat` says. `state` is the kernel's letter: R, S, D, T (stopped), t (traced), Z (zombie), X."""

    pid: int
    state: str
    parent: int
    group: int
    start_time: int


def boot_id() -> str:
    """The running kernel's boot id. Raises OSError where /proc is not mounted."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def read_stat(pid: int) -> Stat | None:
    """The process with this pid now, zombies included; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in parentheses and may hold spaces and parentheses itself.
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(pid, fields[0].decode("ascii"), int(fields[1]), int(fields[2]), int(fields[19]))


def identify(pid: int) -> Identity | None:
    """The identity of the process with this pid now; None where there is none."""
    stat = read_stat(pid)
    return Identity(pid, stat.start_time, boot_id()) if stat else None


def state_of(who: Identity) -> str:
    """`running`, `stopped`, or `gone` (also a zombie, and a pid that is somebody else's by now)."""
    stat = read_stat(who.pid)
    if stat is None or stat.start_time != who.start_time or stat.state in "ZXx":
        return "gone"
    return "stopped" if stat.state in "Tt" else "running"


def send_signal(who: Identity, signum: int) -> None:
    """Signal exactly this process. Raises Stranger where it is gone, PermissionError where it may not be signalled."""
    if who.pid <= 1:
        raise Stranger(f"pid {who.pid} is never one of ours")
    if who.boot_id != boot_id():
        raise Stranger(f"pid {who.pid} was of another boot of this machine")
    try:
        pidfd = os.pidfd_open(who.pid)
    except ProcessLookupError as error:
        raise Stranger(f"there is no process {who.pid}") from error
    try:
        stat = read_stat(who.pid)
        if stat is None or stat.start_time != who.start_time:
            raise Stranger(f"pid {who.pid} is another process by now")
        signal.pidfd_send_signal(pidfd, signum)
    except ProcessLookupError as error:
        raise Stranger(f"process {who.pid} is gone") from error
    finally:
        os.close(pidfd)


def signal_group(who: Identity, signum: int) -> None:
    """Signal exactly this process, and, where it leads a process group, every other member of the group.

    Raises Stranger where the process itself is gone.
    """
    members = group_members(who.pid)
    send_signal(who, signum)
    for member in members:
        if member.pid != who.pid:
            with contextlib.suppress(Stranger, PermissionError):
                send_signal(member, signum)


def _every_process() -> list[Stat]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = read_stat(int(entry))
            if stat:
                found.append(stat)
    return found


def group_members(leader: int) -> list[Identity]:
    """The processes whose process group is `leader`'s."""
    boot = boot_id()
    return [Identity(stat.pid, stat.start_time, boot) for stat in _every_process() if stat.group == leader]


def descendants(ancestor: int) -> list[Identity]:
    """Children, grandchildren and so on, zombies not counted.

    Of a child subreaper this is everything that was ever started below it and still lives, double forks included.
    """
    children: dict[int, list[Stat]] = {}
    for stat in _every_process():
        children.setdefault(stat.parent, []).append(stat)
    boot, found, ahead = boot_id(), [], [ancestor]
    while ahead:
        for stat in children.pop(ahead.pop(), ()):
            ahead.append(stat.pid)
            if stat.state not in "ZXx":
                found.append(Identity(stat.pid, stat.start_time, boot))
    return found


def run_members(variable: str, value: str) -> list[Identity]:
    """The living processes, this one apart, that were started with `variable=value` in their environment."""
    mark, boot, found = f"{variable}={value}".encode(), boot_id(), []
    for stat in _every_process():
        if stat.pid == os.getpid() or stat.state in "ZXx":
            continue
        with contextlib.suppress(OSError), open(f"/proc/{stat.pid}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                found.append(Identity(stat.pid, stat.start_time, boot))
    return found
