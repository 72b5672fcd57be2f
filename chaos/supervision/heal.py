"""Does what the undo file of an ended run still lists, and says for each record what it found.

Nothing is sent to a process that is not the one of the record: its pid, start time and boot id must match. After a run
has ended, its processes have ended too, so most records need nothing. What can be left is a process that the shepherd's
death did not end: one that was started by a replica, for example, and is frozen.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from chaos.supervision.command import ALLOW_EXEC, command_text
from chaos.supervision.identity import (
    Identity,
    WrongProcess,
    boot_id,
    environment_of,
    group_members,
    send_signal,
    state_of,
)
from chaos.supervision.link import RUN_MARK
from chaos.supervision.run_lock import locked
from chaos.supervision.undo import RESUMES_WITHIN_S, UndoFile, UndoNotWritten, check_record, perform
from reports.shared.control_port import TOKEN_HEADER
from reports.shared.errors import UserError
from reports.shared.undo_log import ArmedFault, UndoLog, read_undo_log

__all__ = ["Found", "Healed", "Seen", "by_hand", "decide", "heal", "read_strictly", "see"]

Answer = Literal["undone", "already", "to do", "failed"]

_ORDER = ("signal", "start", "lapse", "request", "exec")
_TOKEN = "BROWNOUT_TOKEN"


class Seen(NamedTuple):
    """What is known of the process of a record. `state`: running, stopped, gone, or "" if the record names none."""

    state: str
    why: str = ""
    stopped: tuple[Identity, ...] = ()
    """Stopped processes of the run in its process group, also where the process itself is gone."""


class Found(NamedTuple):
    """One undo record. `answer`: undone, already as it should be, to do (a dry run), or failed. `hand`: a command."""

    fault: str
    record: dict[str, Any]
    answer: Answer
    why: str
    hand: str = ""


class Healed(NamedTuple):
    """One run. `found`: its records, the newest fault first. `torn`: lines that were left out."""

    found: list[Found]
    torn: list[int]

    @property
    def left(self) -> bool:
        """Whether something could not be undone."""
        return any(one.answer == "failed" for one in self.found)


def heal(folder: Path, *, dry_run: bool = False, allow_exec: bool = False) -> Healed:
    """Undo what the file of an ended run lists; what it did is in the file afterwards. `dry_run`: changes nothing.

    `allow_exec`: commands of the user's are run; else they are left, with the command to run by hand.
    Raises UserError for a file of another run or user, a malformed one, and while the run is going on (RunLocked).
    """
    path = folder / "undo.jsonl"
    with locked(folder):
        log = read_strictly(path)
        owner = folder.resolve().name
        others = sorted({fault.owner for fault in log.pending} - {owner})
        if others:
            raise UserError(
                f"{path} belongs to the run {', '.join(others)}, not to {owner}: nothing was undone. Name the folder "
                f"of that run, or give this folder its name back"
            )
        faults = log.pending[::-1]
        found = [
            _heal_one(fault, record, owner, dry_run=dry_run, allow_exec=allow_exec)
            for kind in _ORDER
            for fault in faults
            for record in reversed(fault.undo)
            if record.get("do") == kind
        ]
        found += [
            Found(fault.fault, record, "failed", f"unknown undo {record.get('do')!r}")
            for fault in faults
            for record in fault.undo
            if record.get("do") not in _ORDER
        ]
        if not dry_run:
            found += _note(UndoFile(path, owner), faults, found)
        return Healed(found, log.torn)


def read_strictly(path: Path) -> UndoLog:
    """The undo file; an empty log if it is missing. Raises UserError where it cannot be trusted or read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return UndoLog([], [], [])
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise UserError(f"{path} is not a regular file: nothing was undone")
        if facts.st_uid != os.geteuid():
            raise UserError(
                f"{path} belongs to user {facts.st_uid}, and you are user {os.geteuid()}: nothing was undone. Run "
                f"`brownout heal` as that user"
            )
        log = read_undo_log(file.read())
    if log.bad:
        line, why = log.bad[0]
        raise UserError(
            f"{path}:{line}: {why}: nothing was undone. Correct or remove the line, and run `brownout heal` again"
        )
    return log


def see(record: Mapping[str, Any], owner: str) -> Seen:
    """Look at the process of a record, of the run `owner`. Raises ValueError for an invalid identity."""
    if "pid" not in record:
        return Seen("")
    who = Identity.from_record(dict(record))
    if who.pid <= 1:
        return Seen("gone", f"pid {who.pid} is never a process of a run")
    if who.boot_id != boot_id():
        return Seen("gone", "this machine was booted since")
    state = state_of(who)
    # While a group has members, its number is no new process's pid: a leader that lives has all of them.
    members = [one for one in group_members(who.pid) if one.start_time >= who.start_time]
    if state == "gone":
        mine = f"{owner}/"
        members = [one for one in members if environment_of(one.pid).get(RUN_MARK, "").startswith(mine)]
    stopped = tuple(one for one in members if state_of(one) == "stopped")
    return Seen(state, f"process {who.pid} has exited" if state == "gone" else "", stopped)


def decide(record: Mapping[str, Any], seen: Seen) -> tuple[Answer, str]:
    """What is to be done about a record: (`already`, why), (`to do`, what), or (`failed`, why not). Pure."""
    do = record.get("do")
    if do == "start":
        return "already", "the run has ended and its stack with it: nothing is to be started"
    if do == "lapse":
        return "already", "it lasts only while the run repeats it"
    if do == "exec":
        return "to do", f"run {shlex.join(record['argv'])}"
    if do == "signal":
        if seen.stopped:
            pids = ", ".join(str(one.pid) for one in seen.stopped)
            return "to do", f"{record['signal']} to the stopped {_processes(len(seen.stopped))} {pids}"
        if seen.state == "gone":
            return "already", seen.why
        if record.get("signal") == "SIGCONT":
            return "already", f"process {record['pid']} runs"
        return "to do", f"{record['signal']} to process {record['pid']}"
    if seen.state == "gone":
        return "already", f"{seen.why}, and the fault with it"
    if not seen.state:
        return "failed", "the record does not say which process has the port: not sent, it may be another's now"
    if seen.state == "stopped":
        return "to do", f"{record['method']} {record['url']}, once process {record['pid']} runs"
    return "to do", f"{record['method']} {record['url']}"


def by_hand(record: Mapping[str, Any], seen: Seen) -> str:
    """The shell command that does the same; "" if nothing is to be done. Secrets are read when it runs. Pure."""
    answer, _ = decide(record, seen)
    if answer == "already":
        return ""
    if record.get("do") == "signal":
        pids = [one.pid for one in seen.stopped] or [int(record["pid"])]
        return f"kill -{str(record['signal']).removeprefix('SIG')} {' '.join(map(str, pids))}"
    if record.get("do") == "exec":
        return command_text(record)
    if record.get("do") != "request":
        return ""
    token = "TOKEN"
    if "pid" in record:
        token = f"$(tr '\\0' '\\n' < /proc/{int(record['pid'])}/environ | sed -n 's/^{_TOKEN}=//p')"
    return f'curl -X {record["method"]} -H "{TOKEN_HEADER}: {token}" {shlex.quote(str(record["url"]))}'


def _heal_one(fault: ArmedFault, record: dict[str, Any], owner: str, *, dry_run: bool, allow_exec: bool) -> Found:
    hand = ""
    try:
        check_record(record)
        seen = see(record, owner)
        hand = by_hand(record, seen)
        answer, why = decide(record, seen)
        if answer == "to do" and not dry_run:
            allowed = allow_exec or record["do"] != "exec"
            unwanted: tuple[Answer, str] = ("failed", f"{why}: a command of yours, not run without {ALLOW_EXEC}")
            answer, why = _do(record, seen) if allowed else unwanted
    except (OSError, ValueError) as error:
        answer, why = "failed", str(error) or type(error).__name__
    return Found(fault.fault, record, answer, why, "" if answer in ("undone", "already") else hand)


def _do(record: dict[str, Any], seen: Seen) -> tuple[Answer, str]:
    if record["do"] == "exec":
        ok, why = perform(record)
        return ("undone" if ok else "failed"), f"{shlex.join(record['argv'])}: {why}"
    if record["do"] == "request":
        pid = Identity.from_record(record).pid
        ok, why = perform(record, token=environment_of(pid).get(_TOKEN, ""))
        return ("undone" if ok else "failed"), f"{record['method']} {record['url']}: {why}"
    if not seen.stopped:
        ok, why = perform(record)
        return ("undone" if ok else "failed"), why
    signum = signal.Signals[record["signal"]]
    for one in seen.stopped:
        try:
            send_signal(one, signum)
        except WrongProcess:
            continue
    deadline = time.monotonic() + RESUMES_WITHIN_S
    while still := [one.pid for one in seen.stopped if state_of(one) == "stopped"]:
        if time.monotonic() >= deadline:
            return "failed", f"{record['signal']} was sent, but still stopped: {', '.join(map(str, still))}"
        time.sleep(0.001)
    pids = ", ".join(str(one.pid) for one in seen.stopped)
    alive = [one.pid for one in seen.stopped if state_of(one) != "gone"]
    rest = f"; to end what is left of the run: kill {' '.join(map(str, alive))}" if alive else ""
    return "undone", f"{record['signal']} sent, no longer stopped: {pids}{rest}"


def _processes(count: int) -> str:
    return "process" if count == 1 else "processes"


def _note(file: UndoFile, faults: list[ArmedFault], found: list[Found]) -> list[Found]:
    """Write into the file what was done. Returns what could not be written."""
    problems = []
    for fault in faults:
        failed = [one.why for one in found if one.fault == fault.fault and one.answer == "failed"]
        try:
            if failed:
                file.failed(fault.fault, failed, "heal")
            else:
                file.disarm(fault.fault, "heal")
        except UndoNotWritten as error:
            problems.append(Found(fault.fault, {"do": "write"}, "failed", f"not recorded: {error.__cause__ or error}"))
    return problems
