"""Hides the arguments of this process from `ps`: /proc/PID/cmdline can be read by every account of the machine.

Linux shows the memory in which the arguments were handed to the process, so they are overwritten there. `sys.argv`
stays. Before that, for as long as Python takes to start, they can be read; those of a parent such as a shell with `-c`
stay where they are. The environment of a process can be read by its own account only.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Final

__all__ = ["hide_arguments"]

_CMDLINE: Final = Path("/proc/self/cmdline")
_STAT: Final = Path("/proc/self/stat")
_ARG_START: Final = 48 - 3
"""The number of a field of `stat` (proc(5)), counted from the one after the name."""


def hide_arguments(kept: int = 1) -> bool:
    """Overwrite all arguments after the first `kept` ones (`gameday`). Returns whether they are hidden now.

    False: this kernel does not show the place, or arguments were changed already.
    """
    try:
        shown = _CMDLINE.read_bytes()
        start, end = (int(field) for field in _STAT.read_bytes().rpartition(b")")[2].split()[_ARG_START:][:2])
    except (OSError, ValueError):
        return False
    words = shown.split(b"\0")[:-1]
    hidden = len(sys.argv) - 1 - kept
    if hidden <= 0:
        return True
    if start <= 0 or end - start != len(shown) or hidden >= len(words) or ctypes.string_at(start, len(shown)) != shown:
        return False
    length = sum(len(word) + 1 for word in words[-hidden:])
    ctypes.memset(end - length, 0, length)
    return not any(_CMDLINE.read_bytes()[len(shown) - length :])
