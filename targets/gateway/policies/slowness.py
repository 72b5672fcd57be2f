"""Slow outliers: a replica that answers its probes and fails nothing, and takes many times as long for a token.

What counts is what a replica does, not what it says. A sample is the least gap between two tokens of one stream within
half a second: prefills of other requests stretch many gaps of a busy replica but seldom all of them, a throttled chip
all. The pace of a replica is the median of its samples in idle steps of its hardware, so that kinds of chip can be
compared. An outlier is slower than the fleet and than its own pool by the factor: a pool that is slow as a whole looks
like a pool under load, and taking that away makes it worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from targets.gateway.config import Ejection, Upstream

__all__ = ["SlowOutliers"]

_MIN_OTHERS = 2


@dataclass(slots=True)
class _Pace:
    gaps_s: list[float] = field(default_factory=list)
    latest: float | None = None  # idle steps a token
    in_a_row: int = 0
    suspect: bool = False


class SlowOutliers:
    """All replicas of a gateway. Where the idle step of any of them is not known, paces are plain times."""

    def __init__(self, config: Ejection, upstreams: Mapping[str, Upstream]) -> None:
        self._config = config
        known = all(upstream.step_ms for upstream in upstreams.values())
        self._step_s = {name: upstream.step_ms * 1e-3 if known else 1.0 for name, upstream in upstreams.items()}
        self._pool = {name: upstream.pool for name, upstream in upstreams.items()}
        self._paces = {name: _Pace() for name in upstreams}

    def record(self, name: str, gap_s: float) -> None:
        """The least gap between tokens of a stream there, lately."""
        self._paces[name].gaps_s.append(gap_s)

    def forget(self, name: str) -> None:
        """It was ejected: what was seen of it says nothing about it once it is back. Slow ones stay suspect."""
        suspect = self._paces[name].suspect
        self._paces[name] = _Pace(suspect=suspect, in_a_row=self._config.slow_sweeps - 1 if suspect else 0)

    def suspect(self, name: str) -> bool:
        """Whether it was an outlier and has not been seen at a good pace since: one slow sweep is then enough."""
        return self._paces[name].suspect

    def sweep(self) -> list[tuple[str, str]]:
        """[(replica, why)] that have been outliers often enough in a row."""
        factor = self._config.slow_factor
        if factor is None:
            return []
        fresh = [name for name, pace in self._paces.items() if len(pace.gaps_s) >= self._config.slow_min_samples]
        for name in fresh:
            pace = self._paces[name]
            pace.latest = median(pace.gaps_s) / self._step_s[name]
            pace.gaps_s.clear()
        out = []
        for name in fresh:
            pace, bar = self._paces[name], self._usual(name)
            if bar is None or pace.latest is None:
                continue
            if pace.latest <= factor * bar:
                pace.in_a_row, pace.suspect = 0, False
                continue
            pace.in_a_row += 1
            if pace.in_a_row >= self._config.slow_sweeps:
                pace.suspect = True
                out.append((name, f"{pace.latest / bar:.1f} x the others' time a token"))
        return out

    def _usual(self, name: str) -> float | None:
        """The pace of the others: the median of all, or of its own pool where that is more. None: too few are known."""
        others = {
            other: pace.latest for other, pace in self._paces.items() if other != name and pace.latest is not None
        }
        if len(others) < _MIN_OTHERS:
            return None
        peers = [latest for other, latest in others.items() if self._pool[other] == self._pool[name]]
        return max(median(others.values()), median(peers) if peers else 0.0)
