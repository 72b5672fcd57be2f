"""What the configurations of all policies share: no unknown keys, and numbers that make sense.

Each check raises `ValueError` with the name of the value, which the stack loader shows with file and line.
"""

from __future__ import annotations

from typing import Any

__all__ = ["FORBID", "not_negative", "positive", "share"]

FORBID: dict[str, Any] = {"extra": "forbid"}


def positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0, not {value:g}")


def not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must not be negative, but is {value:g}")


def share(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value <= 1:
            raise ValueError(f"{name} is a share, above 0 and at most 1, not {value:g}")
