"""Appends whole entries to a file of the record: a write that fails half way is cut off, so that the next one follows a
whole entry. Space for the last entries is reserved before it is needed.

Only a crash of the process or of the machine can leave an incomplete entry, and only as the last one of a file.
Standard library only: the shepherd imports this module.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os

__all__ = ["append_whole", "release", "reserve", "why_not_written"]

_KEEP_SIZE = 1
"""FALLOC_FL_KEEP_SIZE of fallocate(2): blocks are allocated beyond the end, which stays where it is."""
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV, errno.ESPIPE)

_libc = ctypes.CDLL(None, use_errno=True)


def append_whole(descriptor: int, data: bytes, *, end: int | None = None, sync: bool = False) -> int:
    """Append `data` at the end of a file. With `sync` it is on disk when this returns. Returns where the file ends now.

    `end`: where its last whole entry ends, if the caller knows it: what follows, because an earlier write could not be
    cut off, is cut off first. Raises OSError if anything fails; the file then ends where it ended before, unless that
    fails as well. One process at a time may append to a file.
    """
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if end is None:
        end = size
    elif size > end:
        os.ftruncate(descriptor, end)
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        if sync:
            os.fsync(descriptor)
    except BaseException:  # a signal handler may raise, too
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, end)
        raise
    return end + written


def why_not_written(path: str | os.PathLike[str], error: OSError) -> str:
    """In words for the user why a file cannot be written: "the disk is full", for example."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error.strerror or str(error)
    return "the file system has no inode left (df -i)" if _no_inode(os.fspath(path)) else "the disk is full"


def _no_inode(path: str) -> bool:
    """Whether the file system has bytes and no inode: a file more is then too many."""
    there = os.path.dirname(path) or "."
    while not os.path.exists(there) and there != os.path.dirname(there):
        there = os.path.dirname(there)
    with contextlib.suppress(OSError):
        found = os.statvfs(there)
        return found.f_files > 0 and found.f_favail == 0 and found.f_bavail > 0
    return False


def reserve(descriptor: int, ahead_bytes: int) -> None:
    """Reserve space beyond the end of a file, for what is appended later, also on a disk that is full by then.

    Raises OSError if there is not so much. Does nothing on a file system that cannot reserve (fallocate(2)).
    """
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if _libc.fallocate64(descriptor, _KEEP_SIZE, ctypes.c_int64(end), ctypes.c_int64(ahead_bytes)) != 0:
        number = ctypes.get_errno()
        if number not in _UNSUPPORTED:
            raise OSError(number, os.strerror(number))


def release(descriptor: int) -> None:
    """Give back the space that is reserved beyond the end of a file. Raises OSError."""
    os.ftruncate(descriptor, os.lseek(descriptor, 0, os.SEEK_END))
