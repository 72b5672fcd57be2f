"""The files of a record on a disk that is full or has no inode left: whole entries, and the events of the end."""

from __future__ import annotations

import errno
import json
import os
import struct
from pathlib import Path

import pytest

from chaos.runner import record_writer
from chaos.runner.record_writer import EventLog, LineLog, RecordFull, RunFolder, SpanSpool, make_private
from reports.record.spans import SpanFiles, read_spans
from reports.shared.errors import BrownoutError, UserError
from tests.chaos.supervision.test_whole_entries import file_size_limit
from tests.support.small_disk import fill, small_disk


def lines(path: Path) -> list[dict[str, object]]:
    """Every line of a file; fails for one that is not whole."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_a_line_that_does_not_fit_leaves_nothing_and_the_next_one_is_whole(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "gauges.jsonl")
    log.append(b'{"n":1}')
    with file_size_limit(12), pytest.raises(RecordFull, match="File too large"):
        log.append(b'{"n":2}')
    log.append(b'{"n":3}')
    log.close()
    log.close()
    assert lines(tmp_path / "gauges.jsonl") == [{"n": 1}, {"n": 3}]


def test_a_request_that_does_not_fit_leaves_nothing_and_the_next_one_is_whole(tmp_path: Path) -> None:
    spool = SpanSpool(tmp_path / "spans")
    spool.append(b"")
    with file_size_limit(8), pytest.raises(RecordFull, match=r"0000\.otlp: File too large"):
        spool.append(b"\x0a\x00")
    spool.append(b"\x0a\x00")
    spool.close()
    assert (tmp_path / "spans" / "0000.otlp").read_bytes() == struct.pack(">I", 0) + struct.pack(">I", 2) + b"\x0a\x00"
    found = SpanFiles()
    assert list(read_spans(tmp_path / "spans", found)) == []
    assert (found.messages, found.torn) == (2, 0)


def test_what_could_not_be_cut_off_is_cut_off_before_the_next_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, spool = LineLog(tmp_path / "gauges.jsonl"), SpanSpool(tmp_path / "spans")
    log.append(b'{"n":1}')
    spool.append(b"")

    def refused(descriptor: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", refused)
        with file_size_limit(12), pytest.raises(RecordFull):
            log.append(b'{"n":2}')
        with file_size_limit(8), pytest.raises(RecordFull):
            spool.append(b"\x0a\x00")
        with pytest.raises(RecordFull, match="Input/output error"):
            log.append(b'{"n":3}')
    log.append(b'{"n":4}')
    spool.append(b"\x0a\x00")
    assert lines(tmp_path / "gauges.jsonl") == [{"n": 1}, {"n": 4}]
    assert (tmp_path / "spans" / "0000.otlp").read_bytes() == struct.pack(">I", 0) + struct.pack(">I", 2) + b"\x0a\x00"


def test_a_closed_log_keeps_no_reserved_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="1m") as disk:
        log = EventLog(disk / "events.jsonl")
        log.write("run", event="started")
        assert (disk / "events.jsonl").stat().st_blocks * 512 >= 128 * 1024
        log.close()
        assert (disk / "events.jsonl").stat().st_blocks * 512 <= 8192


def test_a_large_spool_goes_on_in_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_writer, "SPOOL_FILE_BYTES", 8)
    spool = SpanSpool(tmp_path / "spans")
    for _ in range(3):
        spool.append(b"\x0a\x00")
    spool.close()
    assert [path.stat().st_size for path in sorted((tmp_path / "spans").iterdir())] == [12, 6]
    assert spool.requests == 3


def test_the_events_of_the_end_fit_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="400k") as disk:
        log = EventLog(disk / "events.jsonl")
        for n in range(900):  # more than was reserved at the start: it is reserved anew
            log.write("process", name="tpu-0", number=n, text="x" * 100)
        fill(disk)
        spool = SpanSpool(disk)
        with pytest.raises(RecordFull, match="the disk is full"):
            spool.append(b"x" * 5000)
        for n in range(100):
            log.write("fault", stage="verified", number=n, targets=["tpu-0"] * 20)
        log.write("run", event="failed", why="the disk is full")
        log.close()
        spool.close()
        written = lines(disk / "events.jsonl")
    assert len(written) == 1001
    assert written[-1]["event"] == "failed"


def test_a_disk_without_room_for_the_events_is_refused_at_the_start(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="64k") as disk, pytest.raises(RecordFull, match="the disk is full"):
        RunFolder(disk / "runs", "x")


@pytest.mark.parametrize("inodes", range(2, 9))
def test_a_file_system_with_few_inodes_is_refused_with_a_message(tmp_path: Path, inodes: int) -> None:
    """The files of a record are made at the start, so that none is missing later."""
    with small_disk(tmp_path / "disk", size="4m", inodes=inodes) as disk:
        with pytest.raises(BrownoutError) as refused:
            RunFolder(disk / "runs", "x")
        assert isinstance(refused.value, UserError | RecordFull)
        assert "no inode left (df -i)" in str(refused.value) or "No space left" in str(refused.value)
        assert not list((disk / "runs").glob("*")), "no run was played"


def test_a_private_record_can_be_read_by_no_other_account(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir(mode=0o755)
    for folder in (
        RunFolder(tmp_path / "runs", "game-day", private=True),
        RunFolder(tmp_path, "x", at=tmp_path / "named", private=True),
    ):
        assert folder.path.stat().st_mode & 0o777 == 0o700
        folder.close()


def test_the_folder_of_another_account_is_no_private_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UserError, match=r"other accounts may read .*\n    name a folder of yours with --out"):
        make_private(tmp_path)
