"""A small disk is full to its last byte, and nothing stays mounted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.small_disk import can_mount, fill, mount_small_disk, unmount


def test_a_small_disk_can_be_filled_and_unmounted(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a file system cannot be mounted here")
    assert mount_small_disk(tmp_path, size="64k")
    try:
        assert fill(tmp_path).stat().st_size == 64 * 1024
        assert mount_small_disk(tmp_path, size="64k"), "a second one, over the first"
    finally:
        unmount(tmp_path)
    assert not os.path.ismount(tmp_path)
    assert list(tmp_path.iterdir()) == []
