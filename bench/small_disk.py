"""A small file system (tmpfs) in a folder, and what fills it to its last byte. Mounting one needs root."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["FILLER", "can_mount", "fill", "mount_small_disk", "unmount"]

FILLER: Final = "filler"
"""The file that fills a disk."""


def mount_small_disk(folder: Path, *, size: str, inodes: int = 0) -> bool:
    """Mount one at a folder. `size`: as `300k`; `inodes` 0: as many as wanted. False: this process may not."""
    options = f"size={size}" + (f",nr_inodes={inodes}" if inodes else "")
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0


def unmount(folder: Path) -> None:
    """Unmount what is mounted at a folder, also if processes still use it. Nothing happens if nothing is mounted."""
    while os.path.ismount(folder):
        subprocess.run(["umount", "-l", str(folder)], check=True)


def can_mount() -> bool:
    """Whether this process may mount a file system."""
    with tempfile.TemporaryDirectory() as name:
        mounted = mount_small_disk(Path(name), size="64k")
        unmount(Path(name))
        return mounted


def fill(disk: Path) -> Path:
    """Fill the file system of a folder to its last byte. Returns the file that does it."""
    path = disk / FILLER
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (65536, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, b"\0" * size)
    finally:
        os.close(descriptor)
    return path
