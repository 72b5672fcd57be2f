"""Whether a compared measure was measured at all: a typed tolerance of one that no run has decides nothing.

Such a change has the values 0, as a change needs numbers; what shows it asks `is_measured` first.
"""

from __future__ import annotations

from typing import Final

from brownout.result import MeasureChange

__all__ = ["NOT_MEASURED", "is_measured"]

NOT_MEASURED: Final = "not measured in any run"
"""In the `why` of such a change."""


def is_measured(change: MeasureChange) -> bool:
    """Whether any run has this measure; False: the values of the change say nothing."""
    return change.interval is not None or NOT_MEASURED not in change.why
