"""The identity of a process, so that a signal never reaches another process that reuses its pid.

The kernel reuses a pid after its process is reaped, but never pid, start time and boot id together. `send_signal` opens
a pidfd first, then compares, then signals through the pidfd, so that there is no race (pidfd_open(2)).
Standard library only: the shepherd imports this module.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any, NamedTuple

__all__ = [
    "Identity",
    "Stat",
    "WrongProcess",
    "boot_id",
    "descendants",
    "environment_of",
    "group_members",
    "identify",
    "read_stat",
    "run_members",
    "send_signal",
    "signal_group",
    "state_of",
]


class WrongProcess(Exception):
    """The pid belongs to another process now, or to none."""


class Identity(NamedTuple):
    """One process of one boot. `start_time`: clock ticks since boot (proc_pid_stat(5), field 22)."""

    pid: int
    start_time: int
    boot_id: str

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Identity:
        """From a record with `pid`, `start_time` and `boot_id`. Raises ValueError if one is missing or invalid."""
        try:
            return cls(int(record["pid"]), int(record["start_time"]), str(record["boot_id"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{record} identifies no process: it needs pid, start_time and boot_id") from error


class Stat(NamedTuple):
    """Fields of `/proc/PID/stat`. `state`: R, S, D, T (stopped), t (traced), Z (zombie) or X (dead)."""

    pid: int
    state: str
    parent: int
    group: int
    start_time: int


def boot_id() -> str:
    """The boot id of the running kernel. Raises OSError if /proc is not mounted."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def read_stat(pid: int) -> Stat | None:
    """The process that has this pid now, also a zombie. None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name, is in parentheses and may contain spaces and parentheses.
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(pid, fields[0].decode("ascii"), int(fields[1]), int(fields[2]), int(fields[19]))


def identify(pid: int) -> Identity | None:
    """The identity of the process that has this pid now. None if there is none."""
    stat = read_stat(pid)
    return Identity(pid, stat.start_time, boot_id()) if stat else None


def state_of(who: Identity) -> str:
    """`running`, `stopped`, or `gone`: exited, a zombie, or the pid belongs to another process now."""
    stat = read_stat(who.pid)
    if stat is None or stat.start_time != who.start_time or stat.state in "ZXx":
        return "gone"
    return "stopped" if stat.state in "Tt" else "running"


def send_signal(who: Identity, signum: int) -> None:
    """Signal this process. Raises WrongProcess if it is gone, PermissionError without the right to signal it."""
    if who.pid <= 1:
        raise WrongProcess(f"pid {who.pid} is never a process of a run")
    if who.boot_id != boot_id():
        raise WrongProcess(f"pid {who.pid} is from before the last boot of this machine")
    try:
        pidfd = os.pidfd_open(who.pid)
    except ProcessLookupError as error:
        raise WrongProcess(f"no process has pid {who.pid}") from error
    try:
        stat = read_stat(who.pid)
        if stat is None or stat.start_time != who.start_time:
            raise WrongProcess(f"pid {who.pid} belongs to another process now")
        signal.pidfd_send_signal(pidfd, signum)
    except ProcessLookupError as error:
        raise WrongProcess(f"process {who.pid} is gone") from error
    finally:
        os.close(pidfd)


def signal_group(who: Identity, signum: int) -> None:
    """Signal this process and, if it leads a process group, every other member of the group.

    Raises WrongProcess if the process itself is gone.
    """
    members = group_members(who.pid)
    send_signal(who, signum)
    for member in members:
        if member.pid != who.pid:
            with contextlib.suppress(WrongProcess, PermissionError):
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
    """The processes in the process group of `leader`."""
    boot = boot_id()
    return [Identity(stat.pid, stat.start_time, boot) for stat in _every_process() if stat.group == leader]


def descendants(ancestor: int) -> list[Identity]:
    """Children, grandchildren and so on, without zombies.

    For a child subreaper these are all running processes that were ever started below it, also double-forked ones.
    """
    children: dict[int, list[Stat]] = {}
    for stat in _every_process():
        children.setdefault(stat.parent, []).append(stat)
    boot, found, parents = boot_id(), [], [ancestor]
    while parents:
        for stat in children.pop(parents.pop(), ()):
            parents.append(stat.pid)
            if stat.state not in "ZXx":
                found.append(Identity(stat.pid, stat.start_time, boot))
    return found


def environment_of(pid: int) -> dict[str, str]:
    """The environment with which a process was started; empty if it is gone or belongs to another user."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().decode(errors="surrogateescape").split("\0")
    except OSError:
        return {}
    return {name: value for name, found, value in (entry.partition("=") for entry in entries) if found}


def run_members(variable: str, value: str) -> list[Identity]:
    """The running processes, except this one, that were started with `variable=value` in their environment."""
    mark, boot, found = f"{variable}={value}".encode(), boot_id(), []
    for stat in _every_process():
        if stat.pid == os.getpid() or stat.state in "ZXx":
            continue
        with contextlib.suppress(OSError), open(f"/proc/{stat.pid}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                found.append(Identity(stat.pid, stat.start_time, boot))
    return found
