"""Writes the record of a run. Each entry is written at once and whole: a crash loses at most the last one of a file.

The folder is `runs/<time>-<experiment>/`, with mode 0700. `docs/wire.md` describes the files; `reports.record.reader`
reads them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.supervision.whole_entries import append_whole, release, reserve, why_not_written
from reports.shared.errors import TargetFailed, UserError
from reports.shared.whole_file import write_whole

__all__ = [
    "LATEST",
    "EventLog",
    "LineLog",
    "RecordFull",
    "RunFolder",
    "SpanSpool",
    "make_private",
    "named_folder",
    "new_folder",
    "point_latest",
]

LATEST = "latest"
"""The link to the newest run, beside the folders of runs."""

SPOOL_FILE_BYTES = 64 * 1024 * 1024
"""A larger spool file is closed and a new one begun, so that a reader needs a bounded amount of memory."""


EVENTS_AHEAD_BYTES = 128 * 1024
"""Reserved for the events that follow: those of the end of a run take a few kilobytes."""


class RecordFull(TargetFailed):
    """The record cannot be written: the disk is full, or the folder was removed. The run must end."""


def _writing(path: Path, error: OSError) -> RecordFull:
    why = why_not_written(path, error)
    return RecordFull(f"cannot write the record: {path}: {why}. Free some space, or name another folder with --runs")


class LineLog:
    """A file of JSON objects, one per line. A line that cannot be written whole is cut off.

    `ahead_bytes`: so much space is reserved for the lines that follow, at any time. Raises RecordFull.
    """

    def __init__(self, path: Path, *, ahead_bytes: int = 0) -> None:
        self.path = path
        self._ahead_bytes = ahead_bytes
        self._reserved_to = 0
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._end = os.lseek(self._descriptor, 0, os.SEEK_END)
            self._reserve()
        except OSError as error:
            raise _writing(path, error) from error

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """Write one line, given without newline. With `sync` it is on disk when this returns. Raises RecordFull."""
        try:
            self._end = append_whole(self._descriptor, line + b"\n", end=self._end, sync=sync)
        except OSError as error:
            raise _writing(self.path, error) from error
        with contextlib.suppress(OSError):  # on a disk that is full, what is reserved already is used up
            self._reserve()

    def _reserve(self) -> None:
        """Reserve when half of it is used: a system call for many lines."""
        if self._ahead_bytes and self._end + self._ahead_bytes // 2 >= self._reserved_to:
            reserve(self._descriptor, self._ahead_bytes)
            self._reserved_to = self._end + self._ahead_bytes

    def close(self) -> None:
        """Close the file, without what was reserved. A full disk was reported by `append` already."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                if self._ahead_bytes:
                    release(self._descriptor)
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1


class EventLog(LineLog):
    """`events.jsonl`: the events of the run, each with its wall time in unix nanoseconds.

    Space for the events of the end is always reserved, so that a record says how its run ended, also on a full disk.
    """

    def __init__(self, path: Path, wall_ns: Callable[[], int] = time.time_ns) -> None:
        super().__init__(path, ahead_bytes=EVENTS_AHEAD_BYTES)
        self._wall_ns = wall_ns

    def write(self, event_type: str, /, *, at_ns: int | None = None, **fields: Any) -> int:
        """Append an event of type `event_type`. Returns its time. Events of faults are on disk when this returns."""
        at = self._wall_ns() if at_ns is None else at_ns
        line = json.dumps({"at": at, "type": event_type, **fields}, separators=(",", ":"), default=str)
        self.append(line.encode(), sync=event_type == "fault")
        return at


class SpanSpool:
    """`spans/NNNN.otlp`: OTLP requests as received, each after its length as 4 big-endian bytes. Raises RecordFull.

    A request that cannot be written whole is cut off. The first file is made at once, as long as there are inodes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1
        self._number = 0
        self._size = 0
        self.requests = 0
        """Requests written so far."""
        self._open()

    def append(self, request: bytes) -> None:
        """Write one `ExportTraceServiceRequest`. Raises RecordFull."""
        self._open()
        try:
            self._size = append_whole(self._descriptor, struct.pack(">I", len(request)) + request, end=self._size)
        except OSError as error:
            raise _writing(self._path, error) from error
        self.requests += 1
        if self._size >= SPOOL_FILE_BYTES:
            self.close()
            self._number += 1

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._number:04d}.otlp"

    def _open(self) -> None:
        if self._descriptor >= 0:
            return
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _writing(self._path, error) from error
        self._size = 0

    def close(self) -> None:
        """Close the current file."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1


def new_folder(runs: Path, name: str, *, wall_s: Callable[[], float] = time.time) -> Path:
    """Create a new folder `runs/<time>-<name>/` with mode 0700. Raises UserError if that fails."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(wall_s()))
    path = runs / f"{stamp}-{name}"
    for suffix in ["", *(f"-{n}" for n in range(2, 100))]:
        path = runs / f"{stamp}-{name}{suffix}"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except FileExistsError:
            if not runs.is_dir():
                raise UserError(
                    f"cannot create the run's folder: {runs} is not a folder. Name another one with --runs DIR"
                ) from None
        except OSError as error:
            raise UserError(
                f"cannot create the run's folder {path}: {error.strerror}. Name another folder with --runs DIR"
            ) from error
        else:
            return path
    raise UserError(f"cannot create the run's folder: {path} and the 98 names before it exist")


def named_folder(path: Path) -> Path:
    """Create the folder that the user named, with mode 0700, or take it where it is empty. Raises UserError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UserError(f"{path} is not empty: name a new folder with --out, or remove it; nothing is overwritten")
    except OSError as error:
        raise UserError(f"cannot create the folder {path}: {error.strerror}. Name another one with --out") from error
    return path


def make_private(path: Path) -> None:
    """Give a folder mode 0700. Raises UserError if it belongs to another account, or has no modes."""
    remedy = "name a folder of yours with --out, on a file system that keeps modes"
    try:
        path.chmod(0o700)
        facts = path.stat()
    except OSError as error:
        raise UserError(f"other accounts may read {path}: {error.strerror}\n    {remedy}") from error
    if facts.st_mode & 0o077 or facts.st_uid != os.geteuid():
        raise UserError(f"other accounts may read {path}\n    {remedy}")


def point_latest(folder: Path) -> None:
    """Make `latest` beside this folder a link to it. Where that cannot be done, the run goes on without."""
    link = folder.parent / LATEST  # made beside it and renamed: it leads to one of both at any time
    made = link.with_name(f".{LATEST}-{os.getpid()}")
    with contextlib.suppress(OSError):
        if link.exists() and not link.is_symlink():
            return
        made.unlink(missing_ok=True)
        made.symlink_to(folder.name, target_is_directory=True)
        made.replace(link)


class RunFolder:
    """The new folder of one run: below `runs`, or `at` a path that the user named.

    `experiment` is part of its name, which other accounts can see, also in the arguments of processes. `private`: no
    other account can read in it, also where the user's own folder lets them.
    Raises UserError if it cannot be created, RecordFull without space in it.
    """

    def __init__(
        self,
        runs: Path,
        experiment: str,
        *,
        at: Path | None = None,
        private: bool = False,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self.path = named_folder(at) if at is not None else new_folder(runs, experiment, wall_s=wall_s)
        if private:
            make_private(self.path)
        try:
            (self.path / "logs").mkdir(mode=0o700)
            (self.path / "children").mkdir(mode=0o700)
            (self.path / "requests").mkdir(mode=0o700)
        except OSError as error:
            full = _writing(self.path, error)  # before the folder is removed, which makes room
            shutil.rmtree(self.path, ignore_errors=True)
            raise full from error
        try:
            self.events = EventLog(self.path / "events.jsonl")
            self.gauges = LineLog(self.path / "gauges.jsonl")
            self.spans = SpanSpool(self.path / "spans")
        except RecordFull:
            shutil.rmtree(self.path, ignore_errors=True)  # no run was played here
            raise

    def log(self, process: str) -> Path:
        """The file for the output of a process."""
        return self.path / "logs" / f"{process}.log"

    def request_log(self, replica: str) -> Path:
        """The file to which a replica appends a line as each request begins. Absolute: it is for another process."""
        return (self.path / "requests" / f"{replica}.jsonl").absolute()

    def child_config(self, process: str) -> Path:
        """The file with the configuration of a process."""
        return self.path / "children" / f"{process}.json"

    @property
    def undo(self) -> Path:
        """The write-ahead file of faults."""
        return self.path / "undo.jsonl"

    def write(self, name: str, text: str) -> None:
        """Write a whole file of the record. Raises RecordFull."""
        try:
            write_whole(self.path / name, text.encode())
        except OSError as error:
            raise _writing(self.path / name, error) from error

    def close(self) -> None:
        """Close every file."""
        self.events.close()
        self.gauges.close()
        self.spans.close()
