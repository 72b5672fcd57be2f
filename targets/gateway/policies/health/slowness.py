"""Slow outliers: a replica that answers its probes and fails nothing, and takes many times as long for a token.

What counts is what a replica does, not what it says. A sample is the least gap between two tokens of one stream within
half a second. A busy replica is not a slow one, so what a gap should be depends on what else is there: while nobody
waits for a first token, a decode step of its hardware with the sequences in flight, and slow is many times what the
others take, in such steps; while one waits, at most a step full of prefill, and slow is what that cannot explain.

An outlier is slower than the fleet and than its own pool: a pool that is slow as a whole looks like a pool under load,
and taking that away makes it worse.
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
    quiet: list[float] = field(default_factory=list)  # samples in decode steps, while nobody waits
    busy: list[float] = field(default_factory=list)  # in full steps, while somebody does
    latest: float | None = None  # decode steps a token
    in_a_row: int = 0
    suspect: bool = False


class SlowOutliers:
    """All replicas of a gateway. Where the steps of any of them are not known, paces are plain times, and nothing is
    judged while somebody waits."""

    def __init__(self, config: Ejection, upstreams: Mapping[str, Upstream]) -> None:
        self._config = config
        self._known = all(upstream.step_ms and upstream.full_step_ms for upstream in upstreams.values())
        self._upstreams = upstreams
        self._paces = {name: _Pace() for name in upstreams}

    def record(self, name: str, gap_s: float, waiting: bool, step_load_s: float = 0.0) -> None:
        """The least gap between tokens of a stream there, lately; whether somebody waits for a first token there, and
        what the sequences in flight add to a step."""
        pace, upstream = self._paces[name], self._upstreams[name]
        if not self._known:
            if not waiting:
                pace.quiet.append(gap_s)
        elif waiting:
            pace.busy.append(gap_s / (upstream.full_step_ms * 1e-3 + step_load_s))
        else:
            pace.quiet.append(gap_s / (upstream.step_ms * 1e-3 + step_load_s))

    def forget(self, name: str) -> None:
        """It was ejected: what was seen of it says nothing about it once it is back. Slow ones stay suspect."""
        suspect = self._paces[name].suspect
        self._paces[name] = _Pace(suspect=suspect, in_a_row=self._config.slow_sweeps - 1 if suspect else 0)

    def suspect(self, name: str) -> bool:
        """Whether it was an outlier and has not been seen at a good pace since: one slow sweep is then enough."""
        return self._paces[name].suspect

    def sweep(self) -> list[tuple[str, str]]:
        """[(replica, why)] that have been outliers often enough in a row."""
        if self._config.slow_factor is None:
            return []
        least = self._config.slow_min_samples
        judged: dict[str, float | None] = {}  # by decode steps, or (None) beyond a full step
        for name, pace in self._paces.items():
            if len(pace.quiet) >= least:
                judged[name] = pace.latest = median(pace.quiet)
            elif len(pace.busy) < least:
                continue
            elif median(pace.busy) > _BEYOND_FULL:
                judged[name] = None  # else load may explain what was seen: it stays as it was
            pace.quiet.clear()
            pace.busy.clear()
        out = []
        for name, steps in judged.items():
            why = self._slow(name, steps)
            pace = self._paces[name]
            if not why:
                pace.in_a_row, pace.suspect = 0, False
                continue
            pace.in_a_row += 1
            if pace.in_a_row >= self._config.slow_sweeps:
                pace.suspect = True
                out.append((name, why))
        return out

    def _slow(self, name: str, steps: float | None) -> str:
        """In words, why it is; "" if it is not."""
        if steps is None:
            return "slower than a step full of prefill explains"
        others = {o: pace.latest for o, pace in self._paces.items() if o != name and pace.latest is not None}
        if len(others) < _MIN_OTHERS or self._config.slow_factor is None:
            return ""
        peers = [its for other, its in others.items() if self._upstreams[other].pool == self._upstreams[name].pool]
        usual = max(median(others.values()), median(peers) if peers else 0.0)
        return f"{steps / usual:.1f} x the others' time a token" if steps > self._config.slow_factor * usual else ""
