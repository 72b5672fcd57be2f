"""Thresholds that measures, the live display and the checks of an experiment apply (`docs/measures.md`)."""

from __future__ import annotations

from typing import Final

__all__ = ["DOWN_BELOW", "WINDOW_S", "Z_95"]

WINDOW_S: Final = 5.0
"""Length of the sliding window over good calls / offered calls, seconds."""

DOWN_BELOW: Final = 0.70
"""The stack is down while good calls / offered calls is below this share of the baseline's value."""

Z_95: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution, `scipy.special.ndtri(0.975)`: for two-sided 95 % intervals."""
