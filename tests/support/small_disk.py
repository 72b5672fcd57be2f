"""A small file system of a test's own: with few bytes, or few inodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.small_disk import fill, mount_small_disk, unmount

__all__ = ["fill", "small_disk"]


@contextmanager
def small_disk(folder: Path, *, size: str = "300k", inodes: int = 0) -> Iterator[Path]:
    """A tmpfs at a new folder. Skips the test where mounting one is not allowed. `inodes` 0: as many as wanted."""
    folder.mkdir(parents=True)
    if not mount_small_disk(folder, size=size, inodes=inodes):
        pytest.skip("a file system cannot be mounted here")
    try:
        yield folder
    finally:
        unmount(folder)
