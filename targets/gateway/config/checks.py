"""Checks for the configurations of all policies: no unknown keys, and plausible numbers.

Each check raises `ValueError` with the name of the value; the stack loader adds file and line.
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
            raise ValueError(f"{name} must be 0 or more, not {value:g}")


def share(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value <= 1:
            raise ValueError(f"{name} must be a share above 0 and at most 1, not {value:g}")
