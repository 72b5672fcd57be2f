"""Thresholds that measures, the live display and the checks of an experiment apply (`docs/measures.md`)."""

from __future__ import annotations

from typing import Final

__all__ = ["DOWN_BELOW", "WINDOW_S"]

WINDOW_S: Final = 5.0
"""Length of the sliding window over good calls / offered calls, seconds."""

DOWN_BELOW: Final = 0.70
"""The stack is down while good calls / offered calls is below this share of the baseline's value."""
