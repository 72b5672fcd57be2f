"""The scale of a load: the factor by which the rate of its sessions is multiplied (`--scale`).

The course of the load, the sessions themselves and the times of the timeline stay as they are. Demand faults are
relative to the load, so they scale along.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from reports.shared.errors import UserError
from reports.shared.wording import number_text

__all__ = ["AUTO", "MAX_SCALE", "Scale", "parse_scale", "scale_text"]

AUTO: Final = "auto"
MAX_SCALE: Final = 100.0

Scale = float | Literal["auto"]


def parse_scale(text: str | None) -> Scale:
    """The value of `--scale`; 1 without it. Raises UserError."""
    if text is None:
        return 1.0
    if text.strip().lower() == AUTO:
        return "auto"
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 < factor <= MAX_SCALE:
        raise UserError(
            f"--scale {text}: the factor is a number above 0 and at most {MAX_SCALE:g}, or {AUTO}. For a fifth of the "
            "load: --scale 0.2"
        )
    return factor


def scale_text(scale: float) -> str:
    """`scaled by 0.2`; "" for a load that is not scaled."""
    return f"scaled by {number_text(scale)}" if scale != 1 else ""
