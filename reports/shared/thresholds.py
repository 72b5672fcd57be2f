"""Thresholds that measures, the live display and the checks of an experiment apply (`docs/measures.md`)."""

from __future__ import annotations

from typing import Final

__all__ = ["CARRIED_SHARE", "DOWN_BELOW", "JUDGED_CALLS", "SERVED_WITHIN", "WINDOW_S", "Z_95"]

WINDOW_S: Final = 5.0
"""Length of the sliding window over good calls / offered calls, seconds."""

DOWN_BELOW: Final = 0.70
"""The stack is down while good calls / offered calls is below this share of the baseline's value."""

SERVED_WITHIN: Final = 3.0
"""A call is served if its first token comes within this many times the objective for it."""

CARRIED_SHARE: Final = 0.5
"""A gateway carries the load if it serves at least this share of the baseline's calls."""

JUDGED_CALLS: Final = 10
"""Calls of the baseline that such a judgement needs."""

Z_95: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution, `scipy.special.ndtri(0.975)`: for two-sided 95 % intervals."""
