"""Entries are whole or not there: a write that fails is cut off, and reserved space is there on a full disk."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaos.supervision.whole_entries import append_whole, reserve
from tests.support.small_disk import fill, small_disk


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a write stops there, and the next one fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_entries_follow_each_other(tmp_path: Path) -> None:
    with opened(tmp_path / "file") as descriptor:
        append_whole(descriptor, b"one\n")
        append_whole(descriptor, b"two\n", sync=True)
    assert (tmp_path / "file").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("room", range(1, 8))
def test_an_entry_that_does_not_fit_is_cut_off_and_the_next_one_follows_a_whole_one(tmp_path: Path, room: int) -> None:
    with opened(tmp_path / "file") as descriptor:
        append_whole(descriptor, b"first\n")
        with file_size_limit(6 + room), pytest.raises(OSError, match="File too large"):
            append_whole(descriptor, b"too long\n")
        append_whole(descriptor, b"next\n")
    assert (tmp_path / "file").read_bytes() == b"first\nnext\n"


def test_reserved_space_does_not_lengthen_the_file(tmp_path: Path) -> None:
    with opened(tmp_path / "file") as descriptor:
        append_whole(descriptor, b"one\n")
        reserve(descriptor, 65536)
        append_whole(descriptor, b"two\n")
    assert (tmp_path / "file").read_bytes() == b"one\ntwo\n"


def test_what_was_reserved_fits_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, opened(disk / "file") as descriptor, opened(disk / "other") as other:
        append_whole(descriptor, b"one\n")
        reserve(descriptor, 65536)
        fill(disk)
        with pytest.raises(OSError, match="No space left"):
            append_whole(other, b"x" * 8192)
        for _ in range(6):
            append_whole(descriptor, b"y" * 9999 + b"\n", sync=True)
        assert (disk / "file").stat().st_size == 4 + 60_000
        assert (disk / "other").stat().st_size == 0


def test_more_than_the_disk_has_cannot_be_reserved(tmp_path: Path) -> None:
    too_much = pytest.raises(OSError, match="No space left")
    with small_disk(tmp_path / "disk") as disk, opened(disk / "file") as descriptor, too_much:
        reserve(descriptor, 10_000_000)
