"""Slow outliers: replicas that pass their probes and fail no request, but take many times as long per token.

A sample is the shortest gap between two tokens of one stream within half a second. A busy replica is not a slow one, so
the expected gap depends on the load. While no request waits for its first token, it is a decode step of the replica's
hardware with the sequences in flight; slow is many times the others' gap, in such steps. While one waits, it is at most
a step full of prefill; slow is any gap well above that.

An outlier is slower than the fleet and than its own pool. A pool that is slow as a whole is probably overloaded, and
ejecting its replicas would make that worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from targets.gateway.config import Ejection, Upstream

__all__ = ["SlowOutliers"]

_MIN_OTHERS = 2
_BEYOND_FULL = 1.5  # full steps


@dataclass(slots=True)
class _Pace:
    quiet: list[float] = field(
        default_factory=list
    )  # samples in decode steps, while no request waits for its first token
    busy: list[float] = field(default_factory=list)  # samples in full steps, while a request waits
    latest: float | None = None  # decode steps per token
    consecutive: int = 0
    suspect: bool = False


class SlowOutliers:
    """All replicas of a gateway. If the step times of any replica are unknown, gaps are compared in seconds, and only
    while no request waits for its first token."""

    def __init__(self, config: Ejection, upstreams: Mapping[str, Upstream]) -> None:
        self._config = config
        self._known = all(upstream.step_ms and upstream.full_step_ms for upstream in upstreams.values())
        self._upstreams = upstreams
        self._paces = {name: _Pace() for name in upstreams}

    def record(self, name: str, gap_s: float, waiting: bool, step_load_s: float = 0.0) -> None:
        """Records the shortest gap of a stream. `waiting`: a request waits for its first token at the replica.
        `step_load_s`: predicted seconds that the sequences in flight add to a step."""
        pace, upstream = self._paces[name], self._upstreams[name]
        if not self._known:
            if not waiting:
                pace.quiet.append(gap_s)
        elif waiting:
            pace.busy.append(gap_s / (upstream.full_step_ms * 1e-3 + step_load_s))
        else:
            pace.quiet.append(gap_s / (upstream.step_ms * 1e-3 + step_load_s))

    def forget(self, name: str) -> None:
        """It was ejected: drops its samples. A replica ejected for slowness stays suspect."""
        suspect = self._paces[name].suspect
        self._paces[name] = _Pace(suspect=suspect, consecutive=self._config.slow_sweeps - 1 if suspect else 0)

    def suspect(self, name: str) -> bool:
        """Whether it was an outlier and has not been seen at a good pace since: one slow sweep is then enough."""
        return self._paces[name].suspect

    def sweep(self) -> list[tuple[str, str]]:
        """Ends a sweep. Returns [(replica, reason)] for outliers in `slow_sweeps` consecutive sweeps."""
        if self._config.slow_factor is None:
            return []
        least = self._config.slow_min_samples
        judged: dict[str, float | None] = {}  # decode steps per token; None: above a full step
        for name, pace in self._paces.items():
            if len(pace.quiet) >= least:
                judged[name] = pace.latest = median(pace.quiet)
            elif len(pace.busy) < least:
                continue
            elif median(pace.busy) > _BEYOND_FULL:
                judged[name] = None  # otherwise load may explain the gaps: the state is kept
            pace.quiet.clear()
            pace.busy.clear()
        out = []
        for name, steps in judged.items():
            why = self._slow(name, steps)
            pace = self._paces[name]
            if not why:
                pace.consecutive, pace.suspect = 0, False
                continue
            pace.consecutive += 1
            if pace.consecutive >= self._config.slow_sweeps:
                pace.suspect = True
                out.append((name, why))
        return out

    def _slow(self, name: str, steps: float | None) -> str:
        """Returns the reason in words, or "" if it is not slow."""
        if steps is None:
            return "time per token above that of a step full of prefill"
        others = {
            other: pace.latest for other, pace in self._paces.items() if other != name and pace.latest is not None
        }
        if len(others) < _MIN_OTHERS or self._config.slow_factor is None:
            return ""
        peers = [pace for other, pace in others.items() if self._upstreams[other].pool == self._upstreams[name].pool]
        usual = max(median(others.values()), median(peers) if peers else 0.0)
        return (
            f"{steps / usual:.1f} x the time per token of the others"
            if steps > self._config.slow_factor * usual
            else ""
        )
