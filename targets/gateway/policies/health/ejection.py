"""Outlier ejection (Envoy): a replica that fails in a row, or more often than the others, or that is many times slower
than they are (`slowness`), rests for a while.

The pause is `base x how often it was ejected`, up to a maximum; the count falls by one for each sweep it is well.
Never more than a share of the replicas at once, but always at least one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from statistics import fmean, pstdev

from targets.gateway.config import Ejection, Upstream
from targets.gateway.policies.health.slowness import SlowOutliers

__all__ = ["OutlierEjection"]


@dataclass(slots=True)
class _Host:
    in_a_row: int = 0
    times: int = 0
    until: float | None = None
    good: int = 0
    total: int = 0


class OutlierEjection:
    """All replicas of a gateway. Times in seconds on the caller's clock."""

    def __init__(self, config: Ejection, upstreams: Sequence[Upstream], now: float = 0.0) -> None:
        self.config = config
        self._hosts = {upstream.name: _Host() for upstream in upstreams}
        self.slow = SlowOutliers(config, {upstream.name: upstream for upstream in upstreams})
        self._most = max(1, floor(config.max_share * len(upstreams)))
        self._next_sweep = now + config.sweep_s

    def ejected(self, name: str) -> bool:
        """Whether it rests now. (`advance` first.)"""
        return self._hosts[name].until is not None

    def until(self, name: str) -> float | None:
        """When it is readmitted; None: it is not ejected."""
        return self._hosts[name].until

    def record(self, now: float, name: str, failed: bool) -> str | None:
        """A request ended; returns why the replica is ejected, if it is by this."""
        host = self._hosts[name]
        if host.until is not None:
            return None  # what began before the ejection adds nothing
        host.total += 1
        if not failed:
            host.good += 1
            host.in_a_row = 0
            return None
        host.in_a_row += 1
        if host.in_a_row < self.config.consecutive_failures:
            return None
        return self._eject(now, name, f"{host.in_a_row} failures in a row")

    def advance(self, now: float) -> tuple[list[str], list[tuple[str, str]]]:
        """Time passed: (readmitted names, [(ejected name, why)])."""
        back = []
        for name, host in self._hosts.items():
            if host.until is not None and now >= host.until:
                host.until = None
                back.append(name)
        out: list[tuple[str, str]] = []
        if now >= self._next_sweep:
            self._next_sweep = now + self.config.sweep_s
            out = self._sweep(now, back)
        return back, out

    def readmit(self, name: str) -> bool:
        """Other news says that it is well: ends its rest at once. False: it was not ejected."""
        host = self._hosts[name]
        if host.until is None:
            return False
        host.until = None
        return True

    def _eject(self, now: float, name: str, why: str) -> str | None:
        host = self._hosts[name]
        if sum(other.until is not None for other in self._hosts.values()) >= self._most:
            return None
        self.slow.forget(name)
        host.times += 1
        host.in_a_row = 0
        rest_s = min(self.config.base_s * host.times, self.config.max_s)
        host.until = now + rest_s
        return f"{why}, for {rest_s:g} s"

    def _sweep(self, now: float, back: list[str]) -> list[tuple[str, str]]:
        for name, host in self._hosts.items():
            well = not host.in_a_row and not self.slow.suspect(name)
            if host.until is None and host.times and well and name not in back:
                host.times -= 1
        out = self._below_the_others(now)
        for name, slow in self.slow.sweep():
            why = self._eject(now, name, slow) if self._hosts[name].until is None else None
            if why:
                out.append((name, why))
        for host in self._hosts.values():
            host.good = host.total = 0
        return out

    def _below_the_others(self, now: float) -> list[tuple[str, str]]:
        config = self.config
        busy = {
            name: host
            for name, host in self._hosts.items()
            if host.until is None and host.total >= config.success_rate_min_requests
        }
        if not config.success_rate_min_hosts or len(busy) < config.success_rate_min_hosts:
            return []
        rates = {name: host.good / host.total for name, host in busy.items()}
        bar = fmean(rates.values()) - config.success_rate_sigmas * pstdev(rates.values())
        out = []
        for name, rate in rates.items():
            if rate < bar:
                why = self._eject(now, name, f"success rate {rate:.0%}, below {bar:.0%}")
                if why:
                    out.append((name, why))
        return out
