"""The write-ahead file: how to undo each fault, on disk (fsync) before the fault is injected.

`undo.jsonl` in the run's folder, one JSON object per line:

    {"fault": "f1", "owner": "<run>", "undo": [record, ...]}      before the injection
    {"fault": "f1", "owner": "<run>", "done": true, "by": "runner" | "shepherd" | "heal"}
    {"fault": "f1", "owner": "<run>", "failed": ["why", ...], "by": ...}          the end of the run could not undo it

Undo records. Applying one twice is harmless. `pid`, `start_time` and `boot_id` identify the process that has the fault:

    {"do": "signal", "process": "tpu-0", "pid": 7, "start_time": 8, "boot_id": "...", "signal": "SIGCONT"}
    {"do": "start", "process": "tpu-0"}                           start it again with its last command
    {"do": "lapse", "process": "locust"}                          nothing: its lease expires by itself
    {"do": "request", "method": "DELETE", "url": "http://127.0.0.1:20001/behaviours/f1", "pid": 7, ...}    loopback only
    {"do": "exec", "argv": [...], "cwd": "/...", "timeout_s": 10, "env": [...]}    see `chaos.supervision.command`

An incomplete last line (after a crash) was never acted on: `arm` had not returned, so the fault was not injected. The
shepherd imports this module: standard library, and `reports.shared.errors`, `control_port` and `undo_log` only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shlex
import signal
import stat
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chaos.supervision.command import check_command, run_command
from chaos.supervision.identity import Identity, WrongProcess, boot_id, signal_group, state_of
from chaos.supervision.whole_entries import append_whole, reserve, why_not_written
from reports.shared.control_port import TOKEN_HEADER
from reports.shared.errors import BrownoutError, TargetFailed, UserError
from reports.shared.undo_log import UndoLog, read_undo_log

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Pending",
    "UndoFile",
    "UndoNotWritten",
    "UndoResult",
    "check_record",
    "is_gone",
    "pending",
    "perform",
    "read_file",
    "undo_at_end",
    "undo_pending",
]

REQUEST_TIMEOUT_S = 1.0
RESERVED_BYTES = 16_384
"""Reserved when a fault is armed, so that it can be said that it is undone, also on a disk that is full by then."""
LOCK_WITHIN_S = 1.0
UNDO_WITHIN_S = 4.0
"""For all requests of one `undo_pending` together, so that frozen processes do not delay the killing."""

RESUMES_WITHIN_S = 1.0
"""How long a process may still be stopped after SIGCONT. The kernel takes microseconds."""

_LOOPBACK_URL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})(/[!-~]*)?", re.ASCII)


class UndoNotWritten(TargetFailed):
    """The undo of a fault could not be written to disk, so the fault must not be injected."""


class Pending(NamedTuple):
    """A fault that is armed and not undone yet."""

    fault: str
    owner: str
    undo: list[dict[str, Any]]


class UndoResult(NamedTuple):
    """The result of one undo record. `ok`: the fault is undone. `why`: what was done, or what failed."""

    fault: str
    record: dict[str, Any]
    ok: bool
    why: str

    def __str__(self) -> str:
        shown = ("do", "signal", "method", "process", "url")
        what = " ".join(str(self.record[key]) for key in shown if key in self.record)
        what += " " + shlex.join(map(str, self.record["argv"])) if "argv" in self.record else ""
        return f"{self.fault}: {what}: {self.why}"


class UndoFile:
    """Writes the file. Several processes may, one line at a time: runner, shepherd and `brownout heal`."""

    def __init__(self, path: str | Path, owner: str) -> None:
        self.path = path
        self.owner = owner

    def arm(self, fault_id: str, undo: Sequence[Mapping[str, object]]) -> None:
        """Write how to undo a fault; on disk when this returns.

        Raises UndoNotWritten if that fails (the fault must not be injected), ValueError for an invalid record.
        """
        if not undo:
            raise ValueError(f"fault {fault_id} has no undo record; without one it is not injected")
        for record in undo:
            check_record(record)
        line = {"fault": fault_id, "owner": self.owner, "undo": [dict(record) for record in undo]}
        self._append(line, RESERVED_BYTES)

    def disarm(self, fault_id: str, by: str = "runner") -> None:
        """Write that a fault is undone. Raises UndoNotWritten, which is harmless: the fault would be undone twice."""
        self._append({"fault": fault_id, "owner": self.owner, "done": True, "by": by}, 0)

    def failed(self, fault_id: str, why: Sequence[str], by: str) -> None:
        """Write why a fault could not be undone; it stays pending. Raises UndoNotWritten."""
        self._append({"fault": fault_id, "owner": self.owner, "failed": list(why), "by": by}, 0)

    def _append(self, line: dict[str, Any], ahead_bytes: int) -> None:
        try:
            _append_synced(os.fspath(self.path), json.dumps(line, separators=(",", ":")).encode(), ahead_bytes)
        except OSError as error:
            why = why_not_written(self.path, error)
            raise UndoNotWritten(
                f"cannot write the undo of fault {line['fault']}: {self.path}: {why}. "
                "Without it the fault is not injected. Free some space, or name another folder with --runs"
            ) from error


def _append_synced(path: str, line: bytes, ahead_bytes: int) -> None:
    new = not os.path.exists(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _lock_writing(descriptor)
        reserve(descriptor, len(line) + ahead_bytes)
        _write_synced(descriptor, line)
    finally:
        os.close(descriptor)
    if new:
        _sync_folder(os.path.dirname(path) or ".")


def _lock_writing(descriptor: int) -> None:
    """Be the only writer until the descriptor is closed. A writer that was stopped keeps the others waiting for 1 s.

    A lock of the open file (F_OFD_SETLK of fcntl(2)), which threads and processes respect, and which is no matter of
    the lock that `heal` takes. Nothing is locked on a file system without such locks.
    """
    whole_file = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    deadline = time.monotonic() + LOCK_WITHIN_S
    while True:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, whole_file)
            return
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN) or time.monotonic() >= deadline:
                return
        time.sleep(0.002)


def _write_synced(descriptor: int, line: bytes) -> None:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # by a crash: the next record begins a new line
    append_whole(descriptor, (b"\n" if torn else b"") + line + b"\n", sync=True)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_record(record: Mapping[str, object]) -> None:
    """Check that `perform` can apply a record. Raises ValueError with the reason if it cannot."""
    do = record.get("do")
    if do == "signal":
        Identity.from_record(dict(record))
        _signal_number(record.get("signal"))
    elif do in ("start", "lapse"):
        if not isinstance(record.get("process"), str):
            raise ValueError(f"{dict(record)} names no process")
    elif do == "request":
        _loopback_url(record.get("url"))
        if "pid" in record:
            Identity.from_record(dict(record))
        if record.get("method") not in ("DELETE", "POST", "PUT"):
            raise ValueError(f"method {record.get('method')!r}: an undo request is DELETE, POST or PUT")
    elif do == "exec":
        check_command(record)
    else:
        raise ValueError(f"unknown undo {do!r}; there are signal, start, lapse, request and exec")


def _signal_number(name: object) -> signal.Signals:
    try:
        return signal.Signals[str(name)]
    except KeyError:
        raise ValueError(f"unknown signal {name!r}") from None


def _loopback_url(url: object) -> tuple[str, int, str]:
    found = _LOOPBACK_URL.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        raise ValueError(f"{url!r}: an undo request goes to http://127.0.0.1:PORT/ only")
    return found[1].strip("[]"), int(found[2]), found[3] or "/"


def read_file(path: str | Path) -> UndoLog:
    """The file as it is now; an empty log if it is missing.

    Raises OSError if it cannot be read or is not a regular file (reading a device might never end).
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
        with open(path, "rb") as file:
            return read_undo_log(file.read())
    except FileNotFoundError:
        return UndoLog([], [], [])


def pending(path: str | Path) -> list[Pending]:
    """The armed faults that are not undone yet, in the order of arming. None are in a missing file.

    Lines that cannot be read are left out. Raises OSError as `read_file` does.
    """
    return [Pending(one.fault, one.owner, one.undo) for one in read_file(path).pending]


def undo_pending(
    path: str | Path,
    owner: str,
    *,
    token: str = "",
    start: Callable[[str], str] | None = None,
    only: str | None = None,
    by: str = "heal",
    within_s: float = UNDO_WITHIN_S,
    environment: Mapping[str, str] | None = None,
) -> list[UndoResult]:
    """Undo the pending faults, the newest first. Signals come before requests, so that frozen processes can reply.

    `start(process)` starts a process again and returns what it did, or raises OSError or ValueError; without it, such a
    record fails. `only`: the id of one fault. `within_s`: for all requests together. `environment`: of commands. If all
    records of a fault succeed, the file says that it is undone. A failed record is in the result. Raises UserError for
    the file of another owner.
    """
    faults = [fault for fault in pending(path) if only is None or fault.fault == only]
    others = sorted({fault.owner for fault in faults} - {owner})
    if others:
        raise UserError(
            f"{path} belongs to {', '.join(others)}, not to {owner}: nothing was undone. "
            "Name the folder of the run with the faults to undo"
        )
    deadline = time.monotonic() + within_s
    faults.reverse()
    done: list[UndoResult] = []
    for kind in ("signal", "start", "lapse", "request", "exec"):  # commands last: they may take long
        for fault in faults:
            for record in reversed(fault.undo):
                if record.get("do") == kind:
                    left_s = min(REQUEST_TIMEOUT_S, deadline - time.monotonic())
                    ok, why = perform(record, token=token, start=start, timeout_s=left_s, environment=environment)
                    done.append(UndoResult(fault.fault, record, ok, why))
    file = UndoFile(path, owner)
    for fault in faults:
        if all(result.ok for result in done if result.fault == fault.fault):
            try:
                file.disarm(fault.fault, by)
            except UndoNotWritten as error:
                done.append(UndoResult(fault.fault, {"do": "write"}, False, str(error)))
    return done


def undo_at_end(
    path: str | Path,
    owner: str,
    *,
    token: str,
    by: str,
    kill: Callable[[], list[int]],
    start: Callable[[str], str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[list[str], list[str], list[int]]:
    """End all processes of the run by `kill`, then undo what is still pending: never raises.

    First the processes: a fault inside one ends with it, and nothing can hold up the end of the run. Returns what was
    undone, what was not, and what `kill` returned: the pids that are left. What was not undone is in the file too, with
    the reason.
    """
    left = kill()
    results: list[UndoResult] = []
    failed: list[str] = []
    try:
        results = undo_pending(path, owner, token=token, start=start, by=by, environment=environment)
        failed = [str(result) for result in results if not result.ok]
    except (BrownoutError, OSError, ValueError) as error:
        failed = [f"the write-ahead file {path}: {error or type(error).__name__}"]
    done = [str(result) for result in results if result.ok]
    with contextlib.suppress(UndoNotWritten):  # the fault is pending in any case; only the reason is lost
        for fault in dict.fromkeys(result.fault for result in results if not result.ok):
            why = [str(result) for result in results if result.fault == fault and not result.ok]
            UndoFile(path, owner).failed(fault, why, by)
    return done, failed, left


def perform(
    record: Mapping[str, Any],
    *,
    token: str = "",
    start: Callable[[str], str] | None = None,
    timeout_s: float = REQUEST_TIMEOUT_S,
    environment: Mapping[str, str] | None = None,
) -> tuple[bool, str]:
    """Apply one undo record. Returns whether the fault is undone, and what was done or what failed."""
    try:
        check_record(record)
        if record["do"] == "signal":
            return _perform_signal(record)
        if record["do"] == "start":
            if start is None:
                return False, "not started: its command is not known here; start it by hand"
            return True, start(record["process"])
        if record["do"] == "lapse":
            return True, "its lease expires by itself"
        if record["do"] == "exec":
            ok, why = run_command(record, os.environ if environment is None else environment)
            return ok, why or "done"
        return _perform_request(record, token, timeout_s)
    except (OSError, ValueError) as error:
        return False, str(error) or type(error).__name__


def is_gone(record: Mapping[str, Any]) -> bool:
    """Whether the process that a record identifies has exited, or is from before the last boot. False without one."""
    if "pid" not in record:
        return False
    who = Identity.from_record(dict(record))
    return who.boot_id != boot_id() or state_of(who) == "gone"


def _perform_signal(record: Mapping[str, Any]) -> tuple[bool, str]:
    who, signum = Identity.from_record(dict(record)), _signal_number(record["signal"])
    try:
        signal_group(who, signum)
    except WrongProcess as error:
        # A process that has exited is not frozen any more. Another process that has its pid now is not signalled.
        return True, f"not signalled: {error}"
    deadline = time.monotonic() + RESUMES_WITHIN_S
    while signum == signal.SIGCONT and state_of(who) == "stopped":
        if time.monotonic() >= deadline:
            return False, f"sent, but process {who.pid} is still stopped"
        time.sleep(0.001)
    return True, "sent"


def _perform_request(record: Mapping[str, Any], token: str, timeout_s: float) -> tuple[bool, str]:
    try:
        ok, why = _send_request(record, token, timeout_s)
    except OSError as error:
        ok, why = False, str(error) or type(error).__name__
    # Asked afterwards, because its successor may have the same port, and the fault too.
    return (True, "its process is gone, and the fault with it") if not ok and is_gone(record) else (ok, why)


def _send_request(record: Mapping[str, Any], token: str, timeout_s: float) -> tuple[bool, str]:
    if timeout_s <= 0:
        return False, "not sent: no time left"
    # http.client follows no redirects and uses no proxies. Imported here, because it is slow to import and rarely used.
    from http.client import HTTPConnection, HTTPException

    host, port, target = _loopback_url(record["url"])
    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request(str(record["method"]), target, headers={TOKEN_HEADER: token, "Content-Length": "0"})
        status = connection.getresponse().status
    except ConnectionRefusedError:
        return False, "connection refused"
    except HTTPException as error:
        return False, f"no HTTP response: {error or type(error).__name__}"
    finally:
        connection.close()
    return status < 300 or status in (404, 410), f"status {status}"
