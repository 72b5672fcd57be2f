"""The write-ahead file: how to undo each fault, on disk before the fault is.

`undo.jsonl` in the run's folder, one JSON object a line:

    {"fault": "f1", "owner": "<run>", "undo": [record, ...]}      written and synced before the injection
    {"fault": "f1", "owner": "<run>", "done": true, "by": "runner" | "shepherd" | "heal"}

Records, each of which may be done twice without harm:

    {"do": "signal", "process": "tpu-0", "pid": 7, "start_time": 8, "boot_id": "...", "signal": "SIGCONT"}
    {"do": "start", "process": "tpu-0"}                           again, as it was last started
    {"do": "lapse", "process": "locust"}                          nothing: it lapses by itself, being on a lease
    {"do": "request", "method": "DELETE", "url": "http://127.0.0.1:20001/behaviours/f1"}     loopback only

A line that a crash tore was never armed: `arm` had not returned, so nothing was injected. The shepherd stands on this
module: standard library and `reports.shared.errors` only.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import stat
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chaos.supervision.identity import Identity, Stranger, signal_group
from reports.shared.control_port import TOKEN_HEADER
from reports.shared.errors import TargetFailed, UserError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Healed", "Pending", "UndoFile", "UndoNotWritten", "check_record", "heal", "pending", "perform"]

REQUEST_TIMEOUT_S = 1.0
HEAL_WITHIN_S = 4.0
"""For all requests of one healing together: a stack of frozen processes must not hold up the killing."""

_LOOPBACK_URL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})(/[!-~]*)?", re.ASCII)


class UndoNotWritten(TargetFailed):
    """How to undo a fault could not be put on disk, so the fault must not be injected."""


class Pending(NamedTuple):
    """A fault that is armed and not yet undone."""

    fault: str
    owner: str
    undo: list[dict[str, Any]]


class Healed(NamedTuple):
    """What became of one undo record. `why` says what went wrong, or what was found."""

    fault: str
    record: dict[str, Any]
    ok: bool
    why: str

    def __str__(self) -> str:
        shown = ("do", "signal", "method", "process", "url")
        what = " ".join(str(self.record[key]) for key in shown if key in self.record)
        return f"{self.fault}: {what}: {self.why}"


class UndoFile:
    """The file as its run writes it: one process, any of its threads (and the shepherd, once its runner is gone)."""

    def __init__(self, path: str | Path, owner: str) -> None:
        self.path = path
        self.owner = owner
        self._lock = threading.Lock()

    def arm(self, fault_id: str, undo: Sequence[Mapping[str, object]]) -> None:
        """Write down how to undo a fault; on disk when this returns.

        Raises UndoNotWritten where it could not be (no injection then), ValueError where a record is none.
        """
        if not undo:
            raise ValueError(f"fault {fault_id} says no way to undo it; without one it is not injected")
        for record in undo:
            check_record(record)
        self._append({"fault": fault_id, "owner": self.owner, "undo": [dict(record) for record in undo]})

    def disarm(self, fault_id: str, by: str = "runner") -> None:
        """Write down that a fault is undone. Raises UndoNotWritten, which is harmless: it would be undone twice."""
        self._append({"fault": fault_id, "owner": self.owner, "done": True, "by": by})

    def _append(self, line: dict[str, Any]) -> None:
        try:
            with self._lock:
                _append_synced(os.fspath(self.path), json.dumps(line, separators=(",", ":")).encode())
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk is full" if full else (error.strerror or str(error))
            raise UndoNotWritten(
                f"cannot write down how to undo fault {line['fault']}: {self.path}: {why}. "
                "A fault that could not be undone is not injected. Free some space, or name another folder with --runs"
            ) from error


def _append_synced(path: str, line: bytes) -> None:
    new = not os.path.exists(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _write_synced(descriptor, line)
    finally:
        os.close(descriptor)
    if new:
        _sync_folder(os.path.dirname(path) or ".")


def _write_synced(descriptor: int, line: bytes) -> None:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
    data = (b"\n" if torn else b"") + line + b"\n"
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except OSError:
        # Half a record should not be there when the next one is written; where it stays, a new line is begun then.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, end)
        raise


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_record(record: Mapping[str, object]) -> None:
    """Whether `perform` could do it. Raises ValueError saying what is wrong with it."""
    do = record.get("do")
    if do == "signal":
        Identity.from_record(dict(record))
        _signal_number(record.get("signal"))
    elif do in ("start", "lapse"):
        if not isinstance(record.get("process"), str):
            raise ValueError(f"no process is named by {dict(record)}")
    elif do == "request":
        _loopback_url(record.get("url"))
        if record.get("method") not in ("DELETE", "POST", "PUT"):
            raise ValueError(f"method {record.get('method')!r}: an undo is a DELETE, POST or PUT")
    else:
        raise ValueError(f"{do!r} is no way to undo something; there are signal, start, lapse and request")


def _signal_number(name: object) -> signal.Signals:
    try:
        return signal.Signals[str(name)]
    except KeyError:
        raise ValueError(f"there is no signal {name!r}") from None


def _loopback_url(url: object) -> tuple[str, int, str]:
    found = _LOOPBACK_URL.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        raise ValueError(f"{url!r}: an undo is sent to http://127.0.0.1:PORT/ and nowhere else")
    return found[1].strip("[]"), int(found[2]), found[3] or "/"


def pending(path: str | Path) -> list[Pending]:
    """The faults armed and not undone, in the order they were armed. A missing file has none.

    Raises OSError where it cannot be read, or is no plain file (a device could be read for ever).
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "not a plain file", os.fspath(path))
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    armed: dict[str, Pending] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            fault, owner = str(entry["fault"]), str(entry["owner"])
            if entry.get("done"):
                armed.pop(fault, None)
            else:
                armed.pop(fault, None)
                armed[fault] = Pending(fault, owner, [dict(record) for record in entry["undo"]])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return list(armed.values())


def heal(
    path: str | Path,
    owner: str,
    *,
    token: str = "",
    start: Callable[[str], str] | None = None,
    only: str | None = None,
    by: str = "heal",
    within_s: float = HEAL_WITHIN_S,
) -> list[Healed]:
    """Undo what the file lists, the newest fault first; signals before requests, so that a thawed process answers.

    `start(process)` starts a process again and answers what it did (raising OSError or ValueError where it cannot);
    without it such a record is reported as not done. `only` names one fault. A fault all of whose records went well is
    written down as done. Never raises for a record that fails; raises UserError where the file is another owner's.
    """
    faults = [fault for fault in pending(path) if only is None or fault.fault == only]
    strangers = sorted({fault.owner for fault in faults} - {owner})
    if strangers:
        raise UserError(
            f"{path} was written by {', '.join(strangers)}, not by {owner}: not touched. "
            "Name the folder of the run whose faults are to be undone"
        )
    deadline = time.monotonic() + within_s
    faults.reverse()
    done: list[Healed] = []
    for kind in ("signal", "start", "lapse", "request"):
        for fault in faults:
            for record in reversed(fault.undo):
                if record.get("do") == kind:
                    left_s = min(REQUEST_TIMEOUT_S, deadline - time.monotonic())
                    ok, why = perform(record, token=token, start=start, timeout_s=left_s)
                    done.append(Healed(fault.fault, record, ok, why))
    file = UndoFile(path, owner)
    for fault in faults:
        if all(healed.ok for healed in done if healed.fault == fault.fault):
            try:
                file.disarm(fault.fault, by)
            except UndoNotWritten as error:
                done.append(Healed(fault.fault, {"do": "write"}, False, str(error)))
    return done


def perform(
    record: Mapping[str, Any],
    *,
    token: str = "",
    start: Callable[[str], str] | None = None,
    timeout_s: float = REQUEST_TIMEOUT_S,
) -> tuple[bool, str]:
    """Do one undo record; answers whether the fault is off by it, and what was found. Never raises."""
    try:
        check_record(record)
        if record["do"] == "signal":
            return _perform_signal(record)
        if record["do"] == "start":
            if start is None:
                return False, "not started: nobody here knows how; start it by hand"
            return True, start(record["process"])
        if record["do"] == "lapse":
            return True, "lapses by itself"
        return _perform_request(record, token, timeout_s)
    except (OSError, ValueError) as error:
        return False, str(error) or type(error).__name__


def _perform_signal(record: Mapping[str, Any]) -> tuple[bool, str]:
    try:
        signal_group(Identity.from_record(dict(record)), _signal_number(record["signal"]))
    except Stranger as error:
        # A process that is gone is no longer frozen either; whoever has its number now is left alone.
        return True, f"not signalled: {error}"
    return True, "sent"


def _perform_request(record: Mapping[str, Any], token: str, timeout_s: float) -> tuple[bool, str]:
    if timeout_s <= 0:
        return False, "not sent: no time left"
    # http.client follows no redirects and knows no proxies. It is slow to import and seldom needed.
    from http.client import HTTPConnection, HTTPException

    host, port, target = _loopback_url(record["url"])
    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request(str(record["method"]), target, headers={TOKEN_HEADER: token, "Content-Length": "0"})
        status = connection.getresponse().status
    except ConnectionRefusedError:
        return False, "nobody listens there"
    except HTTPException as error:
        return False, f"no HTTP answer: {error or type(error).__name__}"
    finally:
        connection.close()
    return status < 300 or status in (404, 410), f"answered {status}"
