"""Only a regular file is opened; nothing waits for the writer of a pipe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports.shared.regular_file import open_regular


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with open_regular(tmp_path / "a") as file:
        assert file.read() == b"abc"


def test_a_pipe_and_a_folder_are_refused_and_their_descriptors_closed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(path)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
