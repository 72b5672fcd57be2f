"""The process's clock: durations are monotonic, wall time is anchored once."""

from __future__ import annotations

import time

__all__ = ["now_s", "unix_ns"]

now_s = time.monotonic
"""Seconds on a clock that never steps."""

_ANCHOR_NS = time.time_ns() - time.monotonic_ns()


def unix_ns(at_s: float) -> int:
    """Wall time, in nanoseconds since 1970, of a moment on `now_s`'s clock."""
    return _ANCHOR_NS + round(at_s * 1e9)
