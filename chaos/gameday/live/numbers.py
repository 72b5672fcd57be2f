"""The numbers of the wall: what the processes of the stack post four times a second, as rates and charts. Pure.

Rates are those of the last `RATE_OVER_S` seconds. A chart has a point for every `STEP_S` seconds of the last five
minutes; a point without posts has no value. A process that has posted nothing for `SILENT_AFTER_S` is silent: the state
of its process is not asked, because that would tell a frozen replica from a slow one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chaos.runner.counters import Counters
from chaos.runner.deployment import GATEWAY, LOAD
from targets.stack import Stack

__all__ = ["CHART_POINTS", "NOTHING_CHANGED", "RATE_OVER_S", "SILENT_AFTER_S", "STEP_S", "LiveNumbers", "PoolStates"]

RATE_OVER_S: Final = 3.0
STEP_S: Final = 2.0
CHART_POINTS: Final = 150
SILENT_AFTER_S: Final = 3.0

_CHARTS: Final = ("offered", "good", "failed", "ttft_ms", "queue", "running")
_COUNTED: Final = ("sent", "good", "failed")


@dataclass(frozen=True, slots=True)
class _Post:
    at_s: float
    counters: Counters


@dataclass(frozen=True, slots=True)
class _Sample:
    """The counts of the load at one time; they only grow while it is one process."""

    at_s: float
    incarnation: int
    sent: int
    good: int
    failed: int


@dataclass(frozen=True, slots=True)
class PoolStates:
    """Names of pools: drained ones, and those of the reserve that were added or are starting."""

    drained: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    starting: frozenset[str] = frozenset()


NOTHING_CHANGED: Final = PoolStates()


@dataclass(slots=True)
class LiveNumbers:
    """`observe` each post, `tick` at least once a `STEP_S`, `section` for the document. Times: seconds of one clock.

    `began_s`: time 0 of the charts. `slo_ttft_s`: the objective of the time to first token, None without one.
    """

    stack: Stack
    began_s: float
    slo_ttft_s: float | None = None
    _last: dict[str, _Post] = field(default_factory=dict)
    _samples: deque[_Sample] = field(default_factory=deque)
    _charts: dict[str, deque[float | None]] = field(init=False)
    _point: int = 0
    """The number of the next point of the charts."""
    _before: _Sample | None = None
    """The counts at the last point."""

    def __post_init__(self) -> None:
        self._charts = {name: deque(maxlen=CHART_POINTS) for name in _CHARTS}

    # -- what is posted -----------------------------------------------------------------------------------------------
    def observe(self, counters: Counters, now_s: float) -> None:
        """A process has posted."""
        if counters.final:
            self._last.pop(counters.process, None)
            return
        self._last[counters.process] = _Post(now_s, counters)
        if counters.kind != "load":
            return
        if counters.data.get("load_started") is not None:
            self._sample(counters, now_s)
        else:  # a new load that has not begun: the counts are those of the one before
            self._samples.clear()

    def _sample(self, counters: Counters, now_s: float) -> None:
        calls = counters.data["calls"]
        sample = _Sample(now_s, counters.incarnation, calls["sent"], counters.data["good_calls"], calls["failed"])
        if self._samples and self._samples[-1].incarnation != sample.incarnation:
            self._samples.clear()
        self._samples.append(sample)
        while len(self._samples) > 1 and self._samples[1].at_s <= now_s - RATE_OVER_S:
            self._samples.popleft()

    def tick(self, now_s: float) -> None:
        """Time has passed: complete the points of the charts that are due."""
        due = int((now_s - self.began_s) / STEP_S)
        if due - self._point > CHART_POINTS:  # the machine slept: these points have no value
            for chart in self._charts.values():
                chart.extend([None] * CHART_POINTS)
            self._point = due - 1
            self._before = None
        while self._point < due:
            self._point += 1
            late = self._point < due
            point = dict.fromkeys(_CHARTS, None) if late else self._now(now_s)
            for name, chart in self._charts.items():
                chart.append(point[name])

    def _now(self, now_s: float) -> dict[str, float | None]:
        load = self._fresh(LOAD, now_s)
        after = self._samples[-1] if load is not None and self._samples else None
        before, self._before = self._before, after
        point: dict[str, float | None] = dict.fromkeys(_CHARTS, None)
        if load is not None and after is not None:
            if before is not None and before.incarnation == after.incarnation and after.at_s > before.at_s:
                over_s = after.at_s - before.at_s
                for name, count in zip(("offered", "good", "failed"), _COUNTED, strict=True):
                    point[name] = round((getattr(after, count) - getattr(before, count)) / over_s, 2)
            point["ttft_ms"] = _rounded(load.data.get("ttft_ms_recent"))
            point["running"] = float(load.data["sessions"]["running"])
        waiting = [post.data.get("waiting") for post in self._replicas(now_s)]
        known = [count for count in waiting if isinstance(count, int)]
        point["queue"] = float(sum(known)) if known else None
        return point

    def _replicas(self, now_s: float) -> list[Counters]:
        replicas = (*self.stack.replicas, *self.stack.reserve_replicas)
        found = (self._fresh(replica.name, now_s) for replica in replicas)
        return [counters for counters in found if counters is not None]

    def _fresh(self, process: str, now_s: float) -> Counters | None:
        post = self._last.get(process)
        return post.counters if post is not None and now_s - post.at_s <= SILENT_AFTER_S else None

    # -- the document -------------------------------------------------------------------------------------------------
    def section(
        self,
        now_s: float,
        *,
        load: Mapping[str, Any],
        gateway: str | None,
        pools: PoolStates = NOTHING_CHANGED,
    ) -> dict[str, Any]:
        """The part `live` of the document, which shows numbers and nothing else of a post.

        `load`: running, profile, level. `gateway`: its name, None without one. `pools`: what responders changed.
        """
        posted = self._last.get(LOAD)
        data = posted.counters.data if posted is not None and load["running"] else {}
        sessions = data.get("sessions") or {}
        view = self._fresh(GATEWAY, now_s)
        return {
            "age_s": round(now_s - posted.at_s, 1) if posted is not None and load["running"] else None,
            "load": {"running": load["running"], "profile": load["profile"], "level": load["level"]},
            **self._rates(now_s, running=bool(load["running"])),
            "ttft_ms": _rounded(data.get("ttft_ms_recent")),
            "slo_ttft_s": self.slo_ttft_s,
            "sessions": {name: int(sessions.get(name, 0)) for name in ("running", "succeeded", "lost")},
            "gateway": {
                "name": gateway or "",
                "state": "none" if gateway is None else "up" if view is not None else self._silent(GATEWAY),
                "queued": view.data.get("queued") if view is not None else None,
                "panic": view.data.get("panic") if view is not None else None,
            },
            "pools": self._pools(now_s, view, pools),
            "charts": {
                "step_s": STEP_S,
                "end_s": round(self._point * STEP_S, 1),
                **{name: list(chart) for name, chart in self._charts.items()},
            },
        }

    def _silent(self, process: str) -> str:
        """A real gateway posts nothing: what it does is seen from the calls only."""
        return "silent" if process in self._last else "up"

    def _rates(self, now_s: float, *, running: bool) -> dict[str, float | None]:
        names = ("offered_per_s", "good_per_s", "failed_per_s")
        first, last = (self._samples[0], self._samples[-1]) if self._samples else (None, None)
        fresh = running and last is not None and now_s - last.at_s <= SILENT_AFTER_S
        if first is None or last is None or not fresh or last.at_s <= first.at_s:
            return dict.fromkeys(names, None)
        over_s = last.at_s - first.at_s
        return {
            name: round((getattr(last, count) - getattr(first, count)) / over_s, 2)
            for name, count in zip(names, _COUNTED, strict=True)
        }

    def _pools(self, now_s: float, view: Counters | None, pools: PoolStates) -> list[dict[str, Any]]:
        seen = view.data.get("replicas", {}) if view is not None else {}
        rows: list[dict[str, Any]] = []
        reserve = {pool.name for pool in self.stack.reserve}
        for pool in (*self.stack.pools, *self.stack.reserve):
            silent = "silent"
            if pool.name in pools.starting:
                silent = "starting"
            elif pool.name in reserve and pool.name not in pools.added:
                silent = "off"
            replicas = [
                self._replica(replica.name, now_s, seen.get(replica.name), silent)
                for replica in (*self.stack.replicas, *self.stack.reserve_replicas)
                if replica.pool == pool.name
            ]
            states = {replica["state"] for replica in replicas}
            rows.append(
                {
                    "name": pool.name,
                    "cloud": pool.cloud,
                    "reserve": silent == "off",
                    "state": "drained" if pool.name in pools.drained else states.pop() if len(states) == 1 else "mixed",
                    "replicas": replicas,
                }
            )
        return rows

    def _replica(self, name: str, now_s: float, seen: Mapping[str, Any] | None, silent: str) -> dict[str, Any]:
        """`silent`: the state of a replica that posts nothing."""
        posted = self._fresh(name, now_s)
        return {
            "name": name,
            "state": "up" if posted is not None else silent,
            "running": posted.data.get("running") if posted is not None else None,
            "waiting": posted.data.get("waiting") if posted is not None else None,
            "gateway": None
            if seen is None
            else {
                "breaker": str(seen.get("breaker", "closed")),
                "ejected": bool(seen.get("ejected")),
                "in_flight": int(seen.get("in_flight", 0)),
                "drained": bool(seen.get("drained")),
            },
        }


def _rounded(value: Any) -> float | None:
    return round(float(value), 1) if isinstance(value, int | float) else None
