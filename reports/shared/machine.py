"""The class of a machine: runs on machines of different classes are not compared."""

from __future__ import annotations

import os

__all__ = ["machine_text", "this_machine"]


def machine_text(cores: object, memory_bytes: object) -> str:
    """`2 cores, 8 GB`; "" where one of both is not known."""
    if not isinstance(cores, int) or not isinstance(memory_bytes, int) or not cores:
        return ""
    return f"{cores} cores, {memory_bytes / 2**30:.0f} GB"


def this_machine() -> tuple[int, int]:
    """The cores that this process may use, and the memory of the machine in bytes."""
    return len(os.sched_getaffinity(0)), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
