"""The process's clock. Times are monotonic; their offset to wall time is measured once, at import."""

from __future__ import annotations

import time

__all__ = ["now_s", "unix_ns"]

now_s = time.monotonic
"""Seconds on the monotonic clock."""

_ANCHOR_NS = time.time_ns() - time.monotonic_ns()


def unix_ns(at_s: float) -> int:
    """Wall time in nanoseconds since 1970 of a time on the clock of `now_s`."""
    return _ANCHOR_NS + round(at_s * 1e9)
