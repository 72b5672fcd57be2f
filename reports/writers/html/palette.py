"""Colours of the page: safe for colour-blind readers (Okabe and Ito, 2008), on light and dark backgrounds."""

from __future__ import annotations

import itertools
from typing import Final

__all__ = ["BAD", "FAULT", "GOOD", "GREY", "HALF_OPEN", "OFFERED", "SECOND", "WARN", "colours"]

GOOD: Final = "#009e73"
BAD: Final = "#d55e00"
WARN: Final = "#e69f00"
OFFERED: Final = "#3b8fd0"
SECOND: Final = "#cc79a7"
GREY: Final = "#8a93a1"
FAULT: Final = "#e0452c"
HALF_OPEN: Final = "#b8a83a"

_COOL: Final = ("#3b8fd0", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a83a", "#8a93a1")
_WARM: Final = ("#d55e00", "#e69f00", "#cc79a7", "#b8a83a", "#7f5fb0", "#3b8fd0", "#009e73", "#8a93a1")


def colours(count: int, *, warm: bool = False) -> list[str]:
    """`count` colours; the first ones differ most. They repeat after eight."""
    return list(itertools.islice(itertools.cycle(_WARM if warm else _COOL), count))
