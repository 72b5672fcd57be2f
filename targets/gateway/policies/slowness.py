"""Slow outliers: a replica that answers its probes and fails nothing, and takes many times as long for a token.

What counts is what a replica does, not what it says. Its pace is `seconds of its streams / tokens / an idle step of its
hardware`, so that kinds of chip can be compared; a sweep compares each with the median of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from targets.gateway.config import Ejection

__all__ = ["SlowOutliers"]

_MIN_OTHERS = 2


@dataclass(slots=True)
class _Pace:
    tokens: int = 0
    seconds: float = 0.0
    latest: float | None = None
    in_a_row: int = 0
    suspect: bool = False


class SlowOutliers:
    """All replicas of a gateway. `step_ms`: an idle step of each; where any is not known, paces are plain times."""

    def __init__(self, config: Ejection, step_ms: Mapping[str, float]) -> None:
        self._config = config
        known = all(step_ms.values())
        self._step_s = {name: ms * 1e-3 if known else 1.0 for name, ms in step_ms.items()}
        self._paces = {name: _Pace() for name in step_ms}

    def record(self, name: str, tokens: int, seconds: float) -> None:
        """A stream there went on by so many tokens in so many seconds."""
        pace = self._paces[name]
        pace.tokens += tokens
        pace.seconds += seconds

    def forget(self, name: str) -> None:
        """It was ejected: what was seen of it says nothing about it once it is back. Slow ones stay suspect."""
        suspect = self._paces[name].suspect
        self._paces[name] = _Pace(suspect=suspect, in_a_row=self._config.slow_sweeps - 1 if suspect else 0)

    def suspect(self, name: str) -> bool:
        """Whether it was an outlier and has not been seen at a good pace since: one slow sweep is then enough."""
        return self._paces[name].suspect

    def sweep(self) -> list[tuple[str, str]]:
        """[(replica, why)] that have been outliers often enough in a row."""
        config = self._config
        if config.slow_factor is None:
            return []
        fresh = [name for name, pace in self._paces.items() if pace.tokens >= config.slow_min_tokens]
        for name in fresh:
            pace = self._paces[name]
            pace.latest = pace.seconds / pace.tokens / self._step_s[name]
            pace.tokens, pace.seconds = 0, 0.0
        out = []
        for name in fresh:
            pace = self._paces[name]
            others = [other.latest for other in self._paces.values() if other is not pace and other.latest is not None]
            if len(others) < _MIN_OTHERS or pace.latest is None:
                continue
            if pace.latest <= config.slow_factor * median(others):
                pace.in_a_row, pace.suspect = 0, False
                continue
            pace.in_a_row += 1
            if pace.in_a_row >= config.slow_sweeps:
                pace.suspect = True
                out.append((name, f"{pace.latest / median(others):.1f} x the others' time a token"))
        return out
