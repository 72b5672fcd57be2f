"""Writes the record of a run. Each line is flushed at once, so that a crash loses at most the last line.

The folder is `runs/<time>-<experiment>/`, with mode 0700. `docs/wire.md` describes the files; `reports.record.reader`
reads them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from reports.shared.errors import TargetFailed, UserError

__all__ = ["EventLog", "LineLog", "RecordFull", "RunFolder", "SpanSpool", "new_folder"]

SPOOL_FILE_BYTES = 64 * 1024 * 1024
"""A larger spool file is closed and a new one begun, so that a reader needs a bounded amount of memory."""


class RecordFull(TargetFailed):
    """The record cannot be written: the disk is full, or the folder was removed. The run must end."""


def _writing(path: Path, error: OSError) -> RecordFull:
    why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or str(error))
    return RecordFull(f"cannot write the record: {path}: {why}. Free some space, or name another folder with --runs")


class LineLog:
    """A file of JSON objects, one per line, flushed after each line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = path.open("ab")
        except OSError as error:
            raise _writing(path, error) from error

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """Write one line, given without newline. With `sync` it is on disk when this returns. Raises RecordFull."""
        try:
            self._file.write(line + b"\n")
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _writing(self.path, error) from error

    def close(self) -> None:
        """Close the file. A full disk was reported by `append` already."""
        with contextlib.suppress(OSError):
            self._file.close()


class EventLog(LineLog):
    """`events.jsonl`: the events of the run, each with its wall time in unix nanoseconds."""

    def __init__(self, path: Path, wall_ns: Callable[[], int] = time.time_ns) -> None:
        super().__init__(path)
        self._wall_ns = wall_ns

    def write(self, event_type: str, /, *, at_ns: int | None = None, **fields: Any) -> int:
        """Append an event of type `event_type`. Returns its time. Events of faults are on disk when this returns."""
        at = self._wall_ns() if at_ns is None else at_ns
        line = json.dumps({"at": at, "type": event_type, **fields}, separators=(",", ":"), default=str)
        self.append(line.encode(), sync=event_type == "fault")
        return at


class SpanSpool:
    """`spans/NNNN.otlp`: OTLP requests as received, each after its length as 4 big-endian bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._number = 0
        self._size = 0
        self.requests = 0
        """Requests written so far."""

    def append(self, request: bytes) -> None:
        """Write one `ExportTraceServiceRequest`. Raises RecordFull."""
        path = self._folder / f"{self._number:04d}.otlp"
        try:
            if self._file is None:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._file = path.open("ab")
                self._size = 0
            self._file.write(struct.pack(">I", len(request)) + request)
            self._file.flush()
        except OSError as error:
            raise _writing(path, error) from error
        self.requests += 1
        self._size += len(request) + 4
        if self._size >= SPOOL_FILE_BYTES:
            self.close()
            self._number += 1

    def close(self) -> None:
        """Close the current file."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


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
                raise UserError(f"cannot create the run's folder: {runs} is not a folder") from None
        except OSError as error:
            raise UserError(
                f"cannot create the run's folder {path}: {error.strerror}. Name another folder with --runs DIR"
            ) from error
        else:
            return path
    raise UserError(f"cannot create the run's folder: {path} and the 98 names before it exist")


class RunFolder:
    """The new folder of one run. Raises UserError if it cannot be created."""

    def __init__(self, runs: Path, experiment: str, *, wall_s: Callable[[], float] = time.time) -> None:
        self.path = new_folder(runs, experiment, wall_s=wall_s)
        (self.path / "logs").mkdir(mode=0o700)
        (self.path / "children").mkdir(mode=0o700)
        self.events = EventLog(self.path / "events.jsonl")
        self.gauges = LineLog(self.path / "gauges.jsonl")
        self.spans = SpanSpool(self.path / "spans")

    def log(self, process: str) -> Path:
        """The file for the output of a process."""
        return self.path / "logs" / f"{process}.log"

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
            (self.path / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise _writing(self.path / name, error) from error

    def close(self) -> None:
        """Close every file."""
        self.events.close()
        self.gauges.close()
        self.spans.close()
